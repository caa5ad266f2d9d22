/* Recipients on their way between two loops of which one has heard of new settings already. */
#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/base/secret.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_keeps_the_way_it_was_given),
        cmocka_unit_test(a_way_of_former_settings_is_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
