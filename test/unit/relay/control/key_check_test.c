/* The check at link-up between a real registry and a signer that is played here, so that time can
 * stand still between a question and its answer. */
#include "test/support/test_support.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>

#include "policy/registry_domains.h"
#include "policy/worker_pool.h"
#include "relay/base/secret.h"
#include "relay/control/key_desk.h"
#include "signer/protocol.h"

enum { PATIENCE_MS = 60000 };

#define DOMAIN "example.com"

static char folder[64];
static struct loop *loop;
static struct registry *registry;
static struct worker_pool *workers;
static struct key_desk *desk;
static enum registry_result registry_said;
static int signer_fd; /* our end of the desk's channel */

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *position)
{
    (void)about, (void)kind, (void)position;
    return remove(path);
}

/* ---- the registry ---- */

static void on_registry(struct registry_request *request)
{
    registry_said = request->result;
    loop_stop(loop);
}

static struct registry_request to_registry(void)
{
    return (struct registry_request){
        .answer_to = loop_mailbox(loop), .done = on_registry, .by = SLICE_LITERAL("test")};
}

static void await_registry(bool is_asked)
{
    assert_true(is_asked);
    loop_run(loop);
    assert_int_equal(registry_said, REGISTRY_OK);
}

static void change_key(bool (*verb)(struct registry *, struct domain_key_request *))
{
    struct domain_key_request request = {.request = to_registry(),
                                         .domain = SLICE_LITERAL(DOMAIN),
                                         .selector = SLICE_LITERAL("s1"),
                                         .type = DOMAIN_KEY_ED25519,
                                         .public_key = SLICE_LITERAL("c29tZSBieXRlcw==")};

    await_registry(verb(registry, &request));
}

static int set_up(void **state)
{
    struct domain_request domain = {.name = SLICE_LITERAL(DOMAIN)};
    struct key_desk_parts parts;

    (void)state;
    assert_int_equal(secret_start(), 0);
    assert_int_equal(loop_new(&loop, 0, 100), 0);
    snprintf(folder, sizeof(folder), "/tmp/staffetta-check-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(registry_open(&registry, folder), 0);
    assert_int_equal(worker_pool_start(&workers, 1, 1), 0);
    parts = (struct key_desk_parts){.loop = loop, .registry = registry, .workers = workers};
    assert_int_equal(key_desk_new(&desk, &parts), 0);
    key_desk_subscribe(desk);
    assert_int_equal(registry_start(registry), 0);
    domain.request = to_registry();
    await_registry(registry_domain_add(registry, &domain));
    change_key(registry_key_add);
    change_key(registry_key_judged);
    change_key(registry_key_activate);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workers = worker_pool_stop(workers);
    registry = registry_stop(registry);
    desk = key_desk_free(desk);
    loop = loop_free(loop);
    close(signer_fd);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* ---- the signer that is played ---- */

static void run_stop(struct task *task)
{
    (void)task;
    loop_stop(loop);
}

static void one_turn(void)
{
    static struct task stop = {.run = run_stop};

    mailbox_answer(loop_mailbox(loop), &stop);
    loop_run(loop);
}

static void link_up(void)
{
    int fds[2];

    assert_int_equal(channel_pair(fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    signer_fd = fds[0];
    key_desk_connect(desk, fds[1]);
}

struct asked {
    enum signer_record_kind kind;
    uint64_t id;
    enum key_verb verb; /* of RECORD_KEY */
};

/* The next question, which is the only one of its datagram. */
static struct asked next_question(void)
{
    CLEANUP(channel_message) struct channel_message message = {0};
    struct signer_record record;
    struct reader datagram;
    struct wire_key key;
    struct asked asked;

    for (int waited_ms = 0; channel_receive(signer_fd, &message) <= 0; waited_ms++) {
        if (waited_ms > PATIENCE_MS)
            fail_msg("the signer is not asked");
        poll(NULL, 0, 1);
        one_turn();
    }
    assert_int_equal(message.kind, SIGNER_REQUESTS);
    datagram = (struct reader){.rest = buffer_slice(&message.bytes)};
    assert_int_equal(signer_record_next(&datagram, &record), 1);
    asked = (struct asked){.kind = record.kind, .id = record.id};
    if (record.kind == RECORD_KEY) {
        assert_true(wire_get_key(&record, &key));
        asked.verb = key.verb;
    }
    return asked;
}

static void send_reply(struct buffer *reply)
{
    assert_int_equal(channel_send(signer_fd, SIGNER_REPLIES, buffer_slice(reply), NULL, 0), 0);
    one_turn();
}

/* A page of one idle key. */
static void answer_page(uint64_t id, const char *selector, bool has_more)
{
    CLEANUP(buffer) struct buffer reply = BUFFER_INIT;
    size_t begin = signer_record_begin(&reply, RECORD_KEYS, id);

    buffer_append_byte(&reply, KEY_OK);
    buffer_append_byte(&reply, has_more);
    wire_put_key_item(&reply, &(struct wire_key_item){.type = DKIM_KEY_ED25519,
                                                      .domain = SLICE_LITERAL(DOMAIN),
                                                      .selector = slice_of(selector)});
    signer_record_end(&reply, begin);
    send_reply(&reply);
}

static void on_done(struct key_order *order)
{
    (void)order;
}

/* Whatever the check asks comes before this. */
static void order_the_last_question(void)
{
    static const struct slice selector = SLICE_LITERAL("last");
    static struct key_order order;

    order = (struct key_order){.answer_to = loop_mailbox(loop),
                               .done = on_done,
                               .domain = SLICE_LITERAL(DOMAIN),
                               .verb = KEY_ORDER_FORGET,
                               .selectors = &selector,
                               .n_selectors = 1};
    assert_true(key_desk_order(desk, &order));
}

/* ---- the tests ---- */

static void an_idle_key_that_ought_to_sign_is_activated(void **state)
{
    struct asked asked;

    (void)state;
    link_up();
    asked = next_question();
    assert_int_equal(asked.kind, RECORD_KEY_LIST);
    answer_page(asked.id, "s1", false);
    asked = next_question();
    assert_int_equal(asked.kind, RECORD_KEY);
    assert_int_equal(asked.verb, KEY_ACTIVATE);
}

static void the_registry_may_change_while_the_signer_is_asked(void **state)
{
    struct asked asked;

    (void)state;
    link_up();
    asked = next_question();
    change_key(registry_key_delete); /* the snapshot comes before the answer */
    answer_page(asked.id, "s1", false);
    order_the_last_question();
    assert_int_equal(next_question().verb, KEY_DELETE);
}

/* Again and again, if it were believed. */
static void assert_ends_behind(const char *selector)
{
    struct asked asked;

    link_up();
    asked = next_question();
    answer_page(asked.id, "a", true);
    asked = next_question();
    assert_int_equal(asked.kind, RECORD_KEY_LIST);
    answer_page(asked.id, selector, true);
    order_the_last_question();
    assert_int_equal(next_question().verb, KEY_DELETE);
}

static void a_page_of_names_that_are_none_is_the_last(void **state)
{
    (void)state;
    assert_ends_behind("not a name");
}

static void a_page_that_came_before_is_the_last(void **state)
{
    (void)state;
    assert_ends_behind("a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_key_that_ought_to_sign_is_activated),
        TEST(the_registry_may_change_while_the_signer_is_asked),
        TEST(a_page_of_names_that_are_none_is_the_last),
        TEST(a_page_that_came_before_is_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
