#include "relay/delivery/path_test.h"

#include "relay/delivery/admission.h"
#include "relay/delivery/operate.h"

enum { TICK_MS = 200 };

/* ---- telling ---- */

static void hand_over(struct task *task)
{
    struct path_step *step = CONTAINER_OF(task, struct path_step, task);

    step->request->on_step(step);
}

void path_tell(struct path_test *test, enum path_word word, const char *phase,
               const char *const *values)
{
    struct path_step *step = path_step_new(word, phase, values);
    struct slice name = test->config->egress.addresses[test->number].name;
    int64_t now_ms = shard_now_ms(test->shard);

    if (!step)
        return; /* the next ones say more */
    step->request = test->request;
    step->ms = now_ms - test->told_ms;
    test->told_ms = now_ms;
    if (test->has_number)
        slice_copy_to(name.len ? name : SLICE_LITERAL("default"), step->egress,
                      sizeof(step->egress));
    step->task.run = hand_over;
    mailbox_answer(test->request->answer_to, &step->task);
}

/* ---- the end ---- */

static void done(struct task *task)
{
    struct delivery_path *request = CONTAINER_OF(task, struct delivery_path, task);

    request->done(request);
}

static void leave_loop(struct path_test *test)
{
    timer_fini(&test->tick);
    timer_fini(&test->patience);
    timer_fini(&test->turn);
    later_cancel(&test->next);
}

static void finish(struct path_test *test)
{
    struct delivery_path *request = test->request;

    leave_loop(test);
    tls_client_free(test->tls);
    delivery_config_unref(test->config);
    arena_reset(&test->arena);
    free(test);
    request->task.run = done;
    mailbox_answer(request->answer_to, &request->task);
}

void path_later(struct path_test *test, void (*then)(struct path_test *test))
{
    if (test->is_over)
        return;
    test->then = then;
    later_set(&test->next);
}

void path_end(struct path_test *test)
{
    if (test->is_over)
        return;
    path_cancel_questions(test);
    path_hang_up(test);
    path_release(test);
    path_later(test, finish);
    test->is_over = true;
}

static void on_next(struct later *next)
{
    struct path_test *test = CONTAINER_OF(next, struct path_test, next);

    test->then(test);
}

/* ---- time ---- */

static void on_tick(struct timer *tick)
{
    struct path_test *test = CONTAINER_OF(tick, struct path_test, tick);
    int64_t now_ms = shard_now_ms(test->shard);
    bool is_cancelled = atomic_load(&test->request->is_cancelled) || test->shard->is_draining;

    if (test->is_over)
        return;
    timer_set(&test->tick, TICK_MS);
    if (is_cancelled || now_ms - test->began_ms > PATH_MOST_MS) {
        PATH_TELL(test, is_cancelled ? PATH_CANCELLED : PATH_OUT_OF_TIME, NULL);
        path_end(test);
    } else if (test->has_number && now_ms - test->one_began_ms > PATH_ONE_MS) {
        PATH_TELL(test, PATH_OUT_OF_TIME, NULL);
        test->is_named = true; /* it was time enough */
        path_end_one(test);
    } else if (test->wait_ends_ms) {
        path_try_host(test);
    }
}

/* ---- our addresses in turn ---- */

struct site *path_site(struct path_test *test)
{
    bool is_of_now = test->config == test->shard->config;
    uint8_t way;
    struct site *site = is_of_now ? target_ensure(test->shard, &test->plan, &way) : NULL;

    if (site && site->owner)
        return site;
    PATH_TELL(test, is_of_now ? PATH_NO_MEMORY : PATH_CHANGED, NULL);
    path_end(test);
    return NULL;
}

static void start_one(struct path_test *test)
{
    if (!path_site(test))
        return;
    test->number = (uint32_t)__builtin_ctz(test->numbers);
    test->has_number = true;
    test->one_began_ms = test->told_ms = shard_now_ms(test->shard);
    test->is_named = test->told_stop = test->is_greeted = test->has_spoken = false;
    test->order_at = test->n_addresses = test->address_at = 0;
    test->n_tries = 0;
    test->local = (struct ip_address){.family = 0};
    test->n_order = target_order(test->plan.hosts, test->plan.n_hosts, test->order);
    path_try_host(test);
}

static bool is_named(const struct egress_address *own, struct slice name)
{
    struct ip_address address;

    if (slice_equal(own->name.len ? own->name : SLICE_LITERAL("default"), name))
        return true;
    return ip_parse(name, &address) && (ip_equal(address, own->v4) || ip_equal(address, own->v6));
}

/* Those that mail may leave from: of any pool.  (Number 0 is in one unless the default pool has
 * addresses of its own.) */
static uint32_t numbers_of(const struct path_test *test)
{
    const struct egress_table *table = &test->config->egress;
    struct slice wanted = slice_of(test->request->egress);
    struct egress_plan plan;
    uint32_t members = 0;

    egress_table_plan(table, &plan);
    for (int i = 0; i < POOL_MOST; i++)
        members |= plan.pools[i];
    for (uint32_t n = 0; wanted.len && n < EGRESS_MOST; n++)
        if (!table->addresses[n].is_used || !is_named(&table->addresses[n], wanted))
            members &= ~(1U << n);
    return members;
}

void path_arrive(struct path_test *test)
{
    test->numbers = numbers_of(test);
    if (test->numbers) {
        path_later(test, start_one);
        return;
    }
    PATH_TELL(test, PATH_ROUTE_NO_EGRESS, test->request->egress);
    path_end(test);
}

void path_end_one(struct path_test *test)
{
    path_cancel_questions(test);
    path_hang_up(test);
    path_release(test);
    if (path_name_left(test))
        return;
    test->numbers &= ~(1U << test->number);
    if (test->numbers)
        path_later(test, start_one);
    else
        path_end(test);
}

/* ---- from loop to loop ---- */

static void on_patience(struct timer *timer)
{
    path_lose(CONTAINER_OF(timer, struct path_test, patience));
}

static void on_turn(struct timer *timer)
{
    path_take_turn(CONTAINER_OF(timer, struct path_test, turn));
}

static void enter_loop(struct path_test *test)
{
    struct loop *loop = test->shard->loop;

    timer_init(&test->tick, loop, on_tick);
    timer_init(&test->patience, loop, on_patience);
    timer_init(&test->turn, loop, on_turn);
    later_init(&test->next, loop, on_next);
    timer_set(&test->tick, TICK_MS);
}

static void begin(struct path_test *test)
{
    delivery_config_unref(test->config);
    arena_reset(&test->arena);
    test->config = delivery_config_ref(test->shard->config);
    test->is_ordered = false;
    path_route(test);
}

static void take_up(struct task *task)
{
    struct path_test *test = CONTAINER_OF(task, struct path_test, task);

    enter_loop(test);
    if (test->config == test->shard->config)
        path_arrive(test);
    else
        begin(test); /* other settings came on the way */
}

static void start(struct task *task)
{
    struct path_test *test = CONTAINER_OF(task, struct path_test, task);

    enter_loop(test);
    test->began_ms = test->told_ms = shard_now_ms(test->shard);
    begin(test);
}

void path_move(struct path_test *test, struct delivery_shard *shard)
{
    leave_loop(test);
    test->shard = shard;
    test->task.run = take_up;
    mailbox_answer(loop_mailbox(shard->loop), &test->task);
}

bool delivery_path(struct delivery *delivery, struct delivery_path *request)
{
    struct path_test *test = calloc(1, sizeof(*test));
    struct slice address = slice_of(request->address);
    char ascii[IDN_SIZE];

    if (!test)
        return false;
    arena_init(&test->arena, 0);
    test->request = request;
    test->delivery = delivery;
    slice_copy_to(admission_domain(address, ascii), test->domain, sizeof(test->domain));
    test->shard = admission_shard(delivery, slice_of(test->domain));
    test->task.run = start;
    if (mailbox_post(loop_mailbox(test->shard->loop), &test->task))
        return true;
    free(test);
    return false;
}
