/* Recipients on their way between two loops of which one has heard of new settings already. */
#include "test/support/test_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "relay/base/secret.h"
#include "relay/delivery/operate.h"
#include "relay/delivery/router.h"
#include "relay/delivery/shard.h"
#include "relay/delivery/shipment.h"
#include "relay/delivery/target.h"

enum { LOOPS = 2 };

static const struct slice dest = {"dest.example", 12};

struct scene {
    struct loop *loops[LOOPS];
    struct delivery *delivery;
    struct delivery_shard *from, *to;
    struct stored *message;
};

static struct delivery_settings settings_via(const struct delivery_route *route)
{
    return (struct delivery_settings){
        .hostname = "relay.example", .expire_ms = 3600000, .routes = route, .n_routes = 1};
}

static const struct delivery_route former = {.domain = "*", .via = "127.0.0.1:2501"};
static const struct delivery_route present = {.domain = "*", .via = "127.0.0.1:2502"};

static struct scene begin(void)
{
    struct socket_address forwarder;
    struct delivery_settings settings = settings_via(&former);
    struct scene scene = {.message = calloc(1, sizeof(*scene.message))};
    struct delivery_parts parts = {.loops = scene.loops, .n_loops = LOOPS};

    assert_int_equal(secret_start(), 0);
    assert_true(socket_address_parse(SLICE_LITERAL("127.0.0.1:9"), -1, &forwarder));
    parts.resolver = (struct resolver_settings){
        .mode = RESOLVER_FORWARD, .forwarders = &forwarder, .n_forwarders = 1};
    for (unsigned i = 0; i < LOOPS; i++)
        assert_int_equal(loop_new(&scene.loops[i], i, 64), 0);
    assert_int_equal(delivery_start(&scene.delivery, &parts, &settings), 0);
    scene.from = &scene.delivery->shards[0];
    scene.to = &scene.delivery->shards[1];
    atomic_init(&scene.message->n_references, 1);
    return scene;
}

static void end(struct scene *scene)
{
    delivery_free(scene->delivery);
    for (unsigned i = 0; i < LOOPS; i++)
        loop_free(scene->loops[i]);
    stored_unref(scene->message);
}

/* What waits in the loop's mailbox. */
static void run(const struct delivery_shard *shard)
{
    loop_stop(shard->loop);
    loop_run(shard->loop);
    loop_stop(shard->loop);
    loop_run(shard->loop);
}

static void ship(const struct scene *scene, struct slice site_name)
{
    const struct delivery_config *config = scene->from->config;
    struct target_host host = {0, (char *)"127.0.0.1"};
    struct target_plan plan = {
        .site_name = site_name,
        .policy = config->routes[0].policy,
        .config = scene->from->config,
        .hosts = &host,
        .n_hosts = 1,
    };
    struct new_entry entry = {.message = stored_ref(scene->message), .domain = dest, .n = 1};

    delivery_shard_admit(scene->from, &entry);
    shipment_send(scene->from, scene->to, schedule_domain(scene->from->schedule, dest), &plan,
                  3600000);
    run(scene->to);
    assert_null(schedule_domain(scene->from->schedule, dest));
    assert_non_null(schedule_domain(scene->to->schedule, dest));
}

static void what_arrives_keeps_the_way_it_was_given(void **state)
{
    struct scene scene = begin();
    const struct site *site;

    (void)state;
    ship(&scene, slice_of(former.via));
    site = schedule_domain(scene.to->schedule, dest)->site;
    assert_non_null(site);
    assert_string_equal(site->name, former.via);
    end(&scene);
}

/* A route is fresh for a day: that long the mail would go where the operator no longer wants it. */
static void a_way_of_former_settings_is_not_followed(void **state)
{
    struct scene scene = begin();
    struct delivery_settings settings = settings_via(&present);

    (void)state;
    assert_int_equal(delivery_reload(scene.delivery, &settings), 0);
    run(scene.to); /* and not `from` */
    ship(&scene, slice_of(former.via));
    assert_null(schedule_domain(scene.to->schedule, dest)->site);
    assert_true(schedule_domain(scene.to->schedule, dest)->is_asked);
    run(scene.from);
    end(&scene);
}

/* ---- while an operator's command goes from loop to loop ---- */

static bool is_answered;

static void on_answer(struct delivery_command *command)
{
    (void)command;
    is_answered = true;
}

/* Mail for dest.example that comes to the second loop belongs to the first, which is walked first.
 */
static struct scene begin_walk(struct delivery_command *command, struct mailbox **answers)
{
    struct scene scene = begin();
    char via[32];
    struct delivery_route route = {.domain = "*", .via = via};
    struct delivery_settings settings = settings_via(&route);

    scene.from = &scene.delivery->shards[1];
    scene.to = &scene.delivery->shards[0];
    for (unsigned port = 2503;; port++) {
        snprintf(via, sizeof(via), "127.0.0.1:%u", port);
        if (delivery_owner_of(scene.delivery, slice_of(via)) == scene.to)
            break;
    }
    assert_int_equal(delivery_reload(scene.delivery, &settings), 0);
    run(scene.to);
    run(scene.from);
    is_answered = false;
    assert_int_equal(mailbox_new(answers, 1), 0);
    *command = (struct delivery_command){.verb = DELIVERY_COUNT,
                                         .selection = {.is_all = true},
                                         .answer_to = *answers,
                                         .done = on_answer};
    assert_true(delivery_command(scene.delivery, command));
    return scene;
}

static void admit(const struct scene *scene)
{
    struct new_entry entry = {.message = stored_ref(scene->message), .domain = dest, .n = 1};

    delivery_shard_admit(scene->from, &entry);
    router_run(scene->from);
}

static void end_walk(struct scene *scene, struct mailbox *answers)
{
    for (int i = 0; i < 20 && !is_answered; i++) {
        run(scene->to);
        run(scene->from);
        mailbox_run(answers);
    }
    assert_true(is_answered);
    router_run(scene->from);
    run(scene->to);
    assert_null(schedule_domain(scene->from->schedule, dest));
    assert_non_null(schedule_domain(scene->to->schedule, dest));
    mailbox_free(answers);
    end(scene);
}

static void a_command_sees_what_moves_behind_its_back(void **state)
{
    struct delivery_command command;
    struct mailbox *answers;
    struct scene scene = begin_walk(&command, &answers);

    (void)state;
    run(scene.to);
    admit(&scene);
    assert_null(schedule_domain(scene.from->schedule, dest));
    end_walk(&scene, answers);
    assert_int_equal(command.n_selected, 1);
}

static void nothing_moves_where_a_command_came_by(void **state)
{
    struct delivery_command command;
    struct mailbox *answers;
    struct scene scene = begin_walk(&command, &answers);

    (void)state;
    run(scene.to);
    run(scene.from);
    admit(&scene);
    assert_non_null(schedule_domain(scene.from->schedule, dest));
    end_walk(&scene, answers);
    assert_int_equal(command.n_selected, 1);
}

enum { WALKERS = 3, WALKS = 60 };

static struct walker {
    struct delivery_command command; /* first */
    struct delivery *delivery;
    unsigned n_walks;
} walkers[WALKERS];

static void walk_again(struct delivery_command *command)
{
    struct walker *walker = (struct walker *)(void *)command;

    if (++walker->n_walks < WALKS)
        assert_true(delivery_command(walker->delivery, command));
}

/* Whoever may ask for a list could hold all mail that is to go to another loop. */
static void mail_moves_however_many_commands_follow_each_other(void **state)
{
    struct delivery_command command;
    struct mailbox *answers;
    struct scene scene = begin_walk(&command, &answers);
    bool has_moved = false, is_walked = true;

    (void)state;
    memset(walkers, 0, sizeof(walkers));
    for (int i = 0; !has_moved && is_walked; i++) {
        if (i < WALKERS) { /* one after the other, so that there is no moment without any */
            walkers[i].command = (struct delivery_command){.verb = DELIVERY_COUNT,
                                                           .selection = {.is_all = true},
                                                           .answer_to = answers,
                                                           .done = walk_again};
            walkers[i].delivery = scene.delivery;
            assert_true(delivery_command(scene.delivery, &walkers[i].command));
        }
        run(scene.to);
        run(scene.from);
        router_run(scene.from); /* which the loop does itself when there is a spool */
        mailbox_run(answers);
        if (i == WALKERS)
            admit(&scene);
        has_moved = i > WALKERS && schedule_domain(scene.to->schedule, dest);
        is_walked = walkers[0].n_walks < WALKS;
    }
    assert_true(is_walked);
    assert_true(has_moved);
    for (int i = 0; i < WALKERS; i++)
        walkers[i].n_walks = WALKS; /* the last */
    end_walk(&scene, answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_keeps_the_way_it_was_given),
        cmocka_unit_test(a_way_of_former_settings_is_not_followed),
        cmocka_unit_test(a_command_sees_what_moves_behind_its_back),
        cmocka_unit_test(nothing_moves_where_a_command_came_by),
        cmocka_unit_test(mail_moves_however_many_commands_follow_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
