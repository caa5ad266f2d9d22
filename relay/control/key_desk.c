#include "relay/control/key_desk.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/control/key_ceremony.h"
#include "relay/control/key_check.h"

struct key_desk {
    struct key_desk_parts parts;
    struct signer_client *client;
    struct resolver *resolver; /* made on the loop, at the first question */
    struct ceremony ceremony;
    struct directory_subscriber subscriber;
    struct directory *directory; /* the newest; NULL until the first came */
    struct key_check check;
    bool wants_check;    /* the signer is up, the directory still missing */
    unsigned n_retiring; /* keys of so many orders are retired, and neither forgotten nor kept */
    struct key_order *current;
    struct key_request end;     /* of a key */
    struct task *first, **last; /* orders that wait their turn */
    struct later turn;          /* of the next one */
    _Atomic bool is_up;
};

static void check_keys(struct key_desk *desk)
{
    if (!desk->wants_check || !desk->directory || desk->n_retiring > 0)
        return;
    desk->wants_check = false;
    key_check_begin(&desk->check);
}

/* ---- orders, one at a time ---- */

static void run_order_done(struct task *task)
{
    struct key_order *order = CONTAINER_OF(task, struct key_order, task);

    order->done(order);
}

static void begin_key(struct key_desk *desk);
static void end_key(struct key_desk *desk);

static void begin_next(struct key_desk *desk)
{
    struct task *task = desk->first;

    if (desk->current || !task)
        return;
    desk->first = task->next;
    if (!desk->first)
        desk->last = &desk->first;
    desk->current = CONTAINER_OF(task, struct key_order, task);
    desk->current->went_well = true;
    if (desk->current->verb == KEY_ORDER_MAKE) {
        begin_key(desk);
        return;
    }
    desk->n_retiring += desk->current->verb == KEY_ORDER_RETIRE;
    end_key(desk);
}

static void on_turn(struct later *turn)
{
    begin_next(CONTAINER_OF(turn, struct key_desk, turn));
}

static void answer(struct key_desk *desk)
{
    struct key_order *order = TAKE(desk->current);

    order->task.run = run_order_done;
    mailbox_answer(order->answer_to, &order->task);
    later_set(&desk->turn);
}

static void on_finished(struct ceremony *ceremony)
{
    struct key_desk *desk = CONTAINER_OF(ceremony, struct key_desk, ceremony);

    if (desk->current->went_well)
        begin_key(desk);
    else
        answer(desk);
}

/* The next key of the order, or its end. */
static void begin_key(struct key_desk *desk)
{
    struct key_order *order = desk->current;
    char selector[2 * DKIM_SELECTOR_SIZE]; /* key_name_set() judges, names beyond this are cut */
    bool wants_both = order->wants_rsa && order->wants_ed25519;
    unsigned n_wanted = order->pem.len || !wants_both ? 1 : 2;
    enum dkim_key_type type =
        order->wants_rsa && order->n_begun == 0 ? DKIM_KEY_RSA : DKIM_KEY_ED25519;

    if (order->n_begun == n_wanted) {
        answer(desk);
        return;
    }
    snprintf(selector, sizeof(selector), "%.*s%s", (int)slice_head(order->selector, 200).len,
             order->selector.data, order->n_begun == 1 ? "-ed" : "");
    order->n_begun++;
    ceremony_begin(&desk->ceremony, order, slice_of(selector), type);
}

static void on_key_ended(struct key_request *request)
{
    struct key_desk *desk = CONTAINER_OF(request, struct key_desk, end);
    struct key_order *order = desk->current;

    if (request->result != KEY_OK && request->result != KEY_UNKNOWN) {
        order->went_well = false;
        order->code = request->result == KEY_SIGNER_DOWN ? "signer_down" : "key_failed";
        slice_copy_to(request->why, order->sentence, sizeof(order->sentence));
    }
    end_key(desk);
}

/* Keys that were left alone meanwhile are looked at again. */
static void end_retiring(struct key_desk *desk)
{
    const struct key_order *order = desk->current;
    bool is_over = order->verb != KEY_ORDER_RETIRE || !order->went_well;

    if (!is_over || desk->n_retiring == 0)
        return;
    desk->n_retiring--;
    desk->wants_check = key_desk_is_up(desk);
    check_keys(desk);
}

/* The next key to be retired or forgotten, or the order's end. */
static void end_key(struct key_desk *desk)
{
    struct key_order *order = desk->current;

    if (order->verb == KEY_ORDER_KEEP || order->n_begun == order->n_selectors) {
        end_retiring(desk);
        answer(desk);
        return;
    }
    desk->end = (struct key_request){
        .done = on_key_ended,
        .verb = order->verb == KEY_ORDER_RETIRE ? KEY_DEACTIVATE : KEY_DELETE,
        .domain = order->domain,
        .selector = order->selectors[order->n_begun++],
    };
    signer_key(desk->client, &desk->end);
}

static void run_order(struct task *task)
{
    struct key_desk *desk = CONTAINER_OF(task, struct key_order, task)->desk;

    task->next = NULL;
    *desk->last = task;
    desk->last = &task->next;
    begin_next(desk);
}

bool key_desk_order(struct key_desk *desk, struct key_order *order)
{
    struct mailbox *mailbox = loop_mailbox(desk->parts.loop);

    order->task.run = run_order;
    order->desk = desk;
    order->n_made = 0;
    order->n_begun = 0;
    if (order->verb == KEY_ORDER_MAKE || order->verb == KEY_ORDER_RETIRE)
        return mailbox_post(mailbox, &order->task);
    mailbox_answer(mailbox, &order->task); /* what began must end */
    return true;
}

/* ---- DNS ---- */

static void run_txt_done(struct task *task)
{
    struct txt_order *order = CONTAINER_OF(task, struct txt_order, task);

    order->done(order);
}

static void answer_txt(struct txt_order *order)
{
    order->task.run = run_txt_done;
    mailbox_answer(order->answer_to, &order->task);
}

static void on_txt(struct dns_query *query)
{
    struct txt_order *order = CONTAINER_OF(query, struct txt_order, query);
    struct dns_record record;

    order->status = query->status;
    memcpy(order->why, query->why, sizeof(order->why));
    while (query->status == DNS_OK &&
           dns_message_next_of(&query->answer, query->canonical, &record)) {
        buffer_append(&order->texts, slice_from(record.text.bytes, record.text.len));
        buffer_append_byte(&order->texts, '\n');
    }
    answer_txt(order);
}

static void run_txt(struct task *task)
{
    struct txt_order *order = CONTAINER_OF(task, struct txt_order, task);
    struct key_desk *desk = order->desk;

    if (!desk->resolver &&
        resolver_new(&desk->resolver, desk->parts.loop, &desk->parts.resolver) < 0) {
        order->status = DNS_TEMPORARY;
        slice_copy_to(SLICE_LITERAL("the resolver could not be started"), order->why,
                      sizeof(order->why));
        answer_txt(order);
        return;
    }
    order->query = (struct dns_query){.done = on_txt, .type = DNS_TYPE_TXT};
    memcpy(order->query.name, order->name, sizeof(order->query.name));
    dns_ask(desk->resolver, &order->query);
}

bool key_desk_ask_txt(struct key_desk *desk, struct txt_order *order)
{
    order->task.run = run_txt;
    order->desk = desk;
    return mailbox_post(loop_mailbox(desk->parts.loop), &order->task);
}

/* ---- the signer's channel ---- */

struct connect_task {
    struct task task;
    struct key_desk *desk;
    int fd;
};

static void run_connect(struct task *task)
{
    struct connect_task *connect = CONTAINER_OF(task, struct connect_task, task);

    if (signer_client_connect(connect->desk->client, connect->fd) < 0)
        atomic_store(&connect->desk->is_up, false);
    free(connect);
}

void key_desk_connect(struct key_desk *desk, int fd)
{
    struct connect_task *connect = malloc(sizeof(*connect));

    if (!connect) {
        close(fd);
        return;
    }
    *connect = (struct connect_task){{.run = run_connect}, desk, fd};
    mailbox_answer(loop_mailbox(desk->parts.loop), &connect->task);
}

static void on_directory(struct directory_subscriber *subscriber, struct directory *directory)
{
    struct key_desk *desk = CONTAINER_OF(subscriber, struct key_desk, subscriber);

    directory_unref(desk->directory);
    desk->directory = directory;
    check_keys(desk);
}

static void on_signer_change(void *owner, bool is_up)
{
    struct key_desk *desk = owner;

    atomic_store(&desk->is_up, is_up);
    desk->wants_check = is_up;
    check_keys(desk);
    if (desk->parts.on_signer)
        desk->parts.on_signer(desk->parts.owner, is_up);
}

bool key_desk_is_up(const struct key_desk *desk)
{
    return atomic_load(&desk->is_up);
}

int key_desk_new(struct key_desk **out, const struct key_desk_parts *parts)
{
    struct key_desk *desk = calloc(1, sizeof(*desk));
    int error;

    if (!desk)
        return FAULT(-ENOMEM);
    desk->parts = *parts;
    desk->last = &desk->first;
    desk->subscriber = (struct directory_subscriber){.mailbox = loop_mailbox(parts->loop),
                                                     .receive = on_directory};
    later_init(&desk->turn, parts->loop, on_turn);
    error = signer_client_new(&desk->client, parts->loop, on_signer_change, desk);
    if (error == 0)
        error = judge_new(&desk->ceremony.judge);
    if (error < 0) {
        key_desk_free(desk);
        return error;
    }
    desk->ceremony.loop = parts->loop;
    desk->ceremony.registry = parts->registry;
    desk->ceremony.workers = parts->workers;
    desk->ceremony.client = desk->check.client = desk->client;
    desk->check.directory = &desk->directory;
    desk->check.n_retiring = &desk->n_retiring;
    desk->ceremony.finished = on_finished;
    *out = desk;
    return 0;
}

void key_desk_subscribe(struct key_desk *desk)
{
    registry_subscribe(desk->parts.registry, &desk->subscriber);
}

struct key_desk *key_desk_free(struct key_desk *desk)
{
    if (!desk)
        return NULL;
    signer_client_free(desk->client);
    directory_unref(desk->directory);
    later_cancel(&desk->turn);
    resolver_free(desk->resolver);
    judge_free(desk->ceremony.judge);
    buffer_fini(&desk->ceremony.header);
    free(desk);
    return NULL;
}
