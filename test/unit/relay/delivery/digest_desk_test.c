/* Failures of a user who wants digests: collected while there is room for one more pile, else told
 * one by one. */
#include "test/support/test_support.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/registry_users.h"
#include "relay/delivery/shard.h"
#include "test/support/delivery_fixture.h"
#include "test/support/smtp_receiver.h"

#define TEXT "From: <news@shop.example>\r\nSubject: hello\r\n\r\nbody\r\n"

static const char *const ann[] = {"ann@dest.example", NULL};

static const char *refuse(void *owner, const char *line)
{
    (void)owner;
    return strncasecmp(line, "RCPT TO:<ann", 12) == 0 ? "550 5.1.1 Nobody" : NULL;
}

static bool is_answered;

static void on_answer(struct registry_request *request)
{
    assert_int_equal(request->result, REGISTRY_OK);
    is_answered = true;
}

static void await_answer(struct delivery_fixture *fixture)
{
    while (!is_answered) {
        assert_true(mailbox_wait(fixture->answers, FIXTURE_PATIENCE_MS));
        mailbox_run(fixture->answers);
    }
    is_answered = false;
}

/* The fixture's mail is of user 1. */
static void want_digests(struct delivery_fixture *fixture)
{
    static const struct user_option digest = {SLICE_LITERAL("bounces"), SLICE_LITERAL("digest")};
    struct slice name = SLICE_LITERAL("news@shop.example");
    struct user_add_request add = {
        .request = {.answer_to = fixture->answers, .done = on_answer},
        .name = name,
        .password = {.source = PASSWORD_NONE                            },
    };
    struct user_options_request options = {
        .request = {.answer_to = fixture->answers, .done = on_answer},
        .name = name,
        .options = &digest,
        .n_options = 1,
    };

    assert_true(registry_user_add(fixture->registry, &add));
    await_answer(fixture);
    assert_int_equal(add.user_id, 1);
    assert_true(registry_user_options(fixture->registry, &options));
    await_answer(fixture);
}

static void send_to_ann(struct delivery_fixture *fixture, const char *sender)
{
    delivery_fixture_send(fixture, &(struct fixture_mail){sender, ann, TEXT, 0, 0, 0});
}

/* of: where in the counts. */
static void fill_and_empty(size_t of, uint32_t most)
{
    struct smtp_receiver *receiver = receiver_start(refuse, NULL, "PIPELINING");
    char via[32];
    struct delivery_route route = {.domain = "*", .via = via, .tls = DELIVERY_TLS_NEVER};
    struct delivery_fixture *fixture;
    const struct noted_event *report;
    _Atomic uint32_t *count;

    snprintf(via, sizeof(via), "127.0.0.1:%u", receiver_port(receiver));
    fixture = delivery_fixture_start(
        (struct delivery_settings){.routes = &route, .n_routes = 1, .digest_ms = 1000});
    want_digests(fixture);
    count = (_Atomic uint32_t *)(void *)((char *)&fixture->delivery->digests + of);
    atomic_fetch_add(count, most);
    send_to_ann(fixture, "a@shop.example");
    report = delivery_fixture_await(fixture, EVENT_REPORT_SENT, "to", "a@shop.example", 0);
    assert_string_equal(noted_value(report, "kind"), "");
    assert_string_not_equal(noted_value(report, "about"), "");
    atomic_fetch_sub(count, most);
    send_to_ann(fixture, "b@shop.example");
    report = delivery_fixture_await(fixture, EVENT_REPORT_SENT, "to", "b@shop.example", 0);
    assert_string_equal(noted_value(report, "kind"), "digest");
    delivery_fixture_await(fixture, EVENT_DELIVERED, "to", "b@shop.example", 0);
    delivery_fixture_stop(fixture);
    receiver_stop(receiver);
}

static void *do_nothing(void *argument)
{
    return argument;
}

static void beyond_the_bound_failures_are_told_one_by_one(void **state)
{
    (void)state;
    fill_and_empty(offsetof(struct digest_counts, n_piles), DIGEST_MOST_PILES);
}

static void beyond_the_share_of_its_user_too(void **state)
{
    (void)state;
    fill_and_empty(offsetof(struct digest_counts, n_of_user[1]), DIGEST_MOST_PILES_OF_USER);
}

static void the_share_of_one_user_is_not_that_of_others(void **state)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));

    (void)state;
    assert_non_null(delivery);
    atomic_store(&delivery->digests.n_of_user[1], DIGEST_MOST_PILES_OF_USER);
    assert_false(digest_has_room(delivery, 1));
    assert_true(digest_has_room(delivery, 2));
    free(delivery);
}

/* LeakSanitizer sees what an end without a drain leaves behind. */
static void notes_between_loops_end_with_the_process(void **state)
{
    struct delivery_fixture *fixture = delivery_fixture_start((struct delivery_settings){0});
    struct delivery_shard *shards = fixture->delivery->shards;
    struct slice sender = SLICE_LITERAL("a@shop.example");

    (void)state;
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++) {
        loop_stop(fixture->loops[i]);
        pthread_join(fixture->threads[i], NULL);
        assert_int_equal(pthread_create(&fixture->threads[i], NULL, do_nothing, NULL), 0);
    }
    for (unsigned i = 0; i < FIXTURE_LOOPS; i++)
        digest_note(&shards[i], 1, sender, 1);
    assert_true(atomic_load(&delivery_owner_of(fixture->delivery, sender)->digests.notes) != NULL);
    delivery_fixture_end(fixture, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beyond_the_bound_failures_are_told_one_by_one),
        cmocka_unit_test(beyond_the_share_of_its_user_too),
        cmocka_unit_test(the_share_of_one_user_is_not_that_of_others),
        cmocka_unit_test(notes_between_loops_end_with_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
