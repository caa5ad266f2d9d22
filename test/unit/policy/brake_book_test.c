/* Twenty kinds of honest senders, sixty simulated days each, and a few who have a password that is
 * not theirs.  Time goes in steps of five minutes; nothing is left to chance. */
#include "test/support/test_support.h"

#include <stdio.h>
#include <string.h>

#include "policy/brake_book.h"

enum { STEPS_A_DAY = 288, STEPS_AN_HOUR = 12, DAYS = 60, STEP_MS = 300000, DAY_MS = 86400000 };

static const int64_t FIRST_MS = 1795392000000; /* 2026-11-23 00:00 UTC, a Monday */

/* What a sender does.  Bad mailboxes are told as their mail concludes, spread over so many steps
 * from the next one on. */
struct sender {
    const char *name;
    int first_day, every_days; /* on which days it sends */
    int first_hour, n_hours;   /* and when */
    uint32_t n_per_step;       /* recipients */
    unsigned bad_per_mille, n_late_steps;
    unsigned n_networks;     /* that it always uses, in turn */
    unsigned n_new_per_hour; /* that it never used before */
    bool is_v6, is_new;      /* new: its user was made on the first day */
};

static const struct sender honest[] = {
    {"weekly newsletter",         0,  7,  9,  2,  5000, 30,  12,  1,  0, false, false},
    {"daily list, never cleaned", 0,  1,  6,  3,  800,  95,  6,   1,  0, false, false},
    {"shop, orders",              0,  1,  0,  24, 9,    10,  1,   1,  0, false, false},
    {"large shop",                0,  1,  0,  24, 200,  15,  3,   2,  0, false, false},
    {"office with phones",        0,  1,  8,  10, 2,    20,  1,   2,  1, false, false},
    {"salesman on the road",      0,  1,  8,  10, 1,    30,  1,   0,  3, false, false},
    {"servers in a cloud",        0,  1,  0,  24, 400,  20,  2,   12, 0, false, false},
    {"servers that come and go",  0,  1,  0,  24, 400,  20,  2,   40, 3, false, false},
    {"alarms of a monitor",       3,  9,  2,  1,  60,   0,   1,   1,  0, false, false},
    {"invoices",                  1,  30, 4,  4,  420,  50,  24,  1,  0, false, false},
    {"school",                    0,  7,  15, 1,  34,   60,  2,   1,  0, false, false},
    {"sports club",               5,  30, 20, 1,  21,   88,  2,   1,  0, false, false},
    {"mailing lists",             0,  1,  0,  24, 350,  20,  30,  1,  0, false, false},
    {"few and half of them dead", 0,  1,  10, 1,  16,   500, 1,   1,  0, false, false},
    {"back after forty days",     41, 49, 9,  1,  30,   40,  2,   1,  0, false, false},
    {"new user, many networks",   0,  90, 9,  2,  50,   20,  2,   8,  0, false, true },
    {"moves to another host",     20, 50, 9,  2,  100,  20,  2,   0,  4, false, false},
    {"phone on a train",          0,  1,  7,  2,  5,    20,  1,   0,  3, false, false},
    {"one network of IPv6",       0,  1,  0,  24, 50,   20,  2,   1,  0, true,  false},
    {"slow conclusions",          0,  1,  9,  3,  300,  95,  120, 1,  0, false, false},
};

static const struct {
    struct sender sender;
    enum brake_cause cause;
    uint32_t most_recipients; /* until it is stopped */
} stolen[] = {
    {{"a list that was bought", 40, 90, 3, 2, 100, 300, 1, 1, 0, false, false},
     BRAKE_BAD_MAILBOXES,                                                                             300 },
    {{"slowly", 40, 90, 3, 2, 20, 200, 1, 1, 0, false, false},                   BRAKE_BAD_MAILBOXES, 260 },
    {{"just a tenth", 40, 90, 3, 2, 50, 100, 1, 1, 0, false, false},             BRAKE_BAD_MAILBOXES, 1300},
    {{"a botnet, good addresses", 40, 90, 3, 2, 50, 10, 1, 0, 12, false, false}, BRAKE_LOGINS,        350 },
    {{"five networks an hour", 40, 90, 3, 3, 50, 0, 1, 0, 5, false, false},      BRAKE_LOGINS,        900 },
    {{"a botnet of IPv6", 40, 90, 3, 2, 200, 0, 1, 0, 9, true, false},           BRAKE_LOGINS,        1400},
};

struct simulation {
    struct brake_book book;
    const struct sender *sender;
    unsigned n_new;     /* networks used up */
    uint32_t late[256]; /* recipients that conclude, by step */
    uint64_t n_concluded, n_bad_told;
    uint32_t n_recipients;
    struct brake_grounds grounds; /* the first */
};

/* At many receivers, none of them much. */
static struct brake_grounds concluded(struct brake_book *book, uint32_t n_concluded, uint32_t n_bad,
                                      int64_t utc_ms)
{
    return brake_book_concluded(
        book, 1, &(struct brake_conclusions){.n_concluded = n_concluded, .n_bad = n_bad}, utc_ms);
}

static void look(struct simulation *at, struct brake_grounds grounds)
{
    if (at->grounds.cause == BRAKE_NOT && grounds.cause != BRAKE_NOT)
        at->grounds = grounds;
}

static struct ip_address address_of(const struct sender *sender, unsigned network, unsigned host)
{
    struct ip_address address = {.family = sender->is_v6 ? AF_INET6 : AF_INET};

    address.bytes[0] = 32;
    address.bytes[1] = (uint8_t)(network >> 8);
    address.bytes[2] = (uint8_t)network;
    address.bytes[3] = (uint8_t)host;
    if (sender->is_v6) { /* hosts differ behind the /48 */
        address.bytes[3] = 0;
        address.bytes[7] = (uint8_t)host;
    }
    return address;
}

static void log_in(struct simulation *at, unsigned network, int64_t utc_ms)
{
    bool is_noteworthy;
    int64_t created_ms = at->sender->is_new ? FIRST_MS : FIRST_MS - (int64_t)400 * DAY_MS;

    look(at, brake_book_login(&at->book, 1,
                              address_of(at->sender, network, (unsigned)(utc_ms / STEP_MS % 200)),
                              created_ms, utc_ms, &is_noteworthy));
}

static bool sends_at(const struct sender *sender, int step)
{
    int day = step / STEPS_A_DAY, hour = step % STEPS_A_DAY / STEPS_AN_HOUR;

    return day >= sender->first_day && (day - sender->first_day) % sender->every_days == 0 &&
           hour >= sender->first_hour && hour < sender->first_hour + sender->n_hours;
}

static void log_in_all(struct simulation *at, int step, int64_t utc_ms)
{
    const struct sender *sender = at->sender;
    int in_hour = step % STEPS_AN_HOUR;

    for (unsigned i = 0; i < sender->n_networks; i++)
        log_in(at, i, utc_ms);
    for (unsigned i = 0; i < sender->n_new_per_hour; i++)
        if ((int)i % STEPS_AN_HOUR == in_hour)
            log_in(at, 1000 + at->n_new++, utc_ms);
}

static void conclude(struct simulation *at, int step, int64_t utc_ms)
{
    uint32_t n = at->late[step % 256];
    uint64_t n_bad;

    at->late[step % 256] = 0;
    if (n == 0)
        return;
    at->n_concluded += n;
    n_bad = at->n_concluded * at->sender->bad_per_mille / 1000 - at->n_bad_told;
    at->n_bad_told += n_bad;
    look(at, concluded(&at->book, n, (uint32_t)n_bad, utc_ms));
}

static void send_mail(struct simulation *at, int step, int64_t utc_ms)
{
    const struct sender *sender = at->sender;

    look(at, brake_book_accepted(&at->book, 1, sender->n_per_step, utc_ms));
    at->n_recipients += sender->n_per_step;
    for (uint32_t i = 0; i < sender->n_per_step; i++)
        at->late[(step + 1 + (int)(i % sender->n_late_steps)) % 256]++;
}

/* Before the theft: a user at home who writes a few mails a day. */
static void live_quietly(struct simulation *at, int step, int64_t utc_ms)
{
    if (step % STEPS_A_DAY != 100 || at->sender->is_new)
        return;
    log_in(at, 900, utc_ms);
    look(at, brake_book_accepted(&at->book, 1, 20, utc_ms));
    look(at, concluded(&at->book, 20, 1, utc_ms));
}

static void simulate(struct simulation *at, const struct sender *sender)
{
    *at = (struct simulation){.sender = sender};
    brake_book_init(&at->book, FIRST_MS);
    for (int step = 0; step < DAYS * STEPS_A_DAY && at->grounds.cause == BRAKE_NOT; step++) {
        int64_t utc_ms = FIRST_MS + (int64_t)step * STEP_MS;

        if (step / STEPS_A_DAY < sender->first_day && sender->every_days >= 50)
            live_quietly(at, step, utc_ms);
        conclude(at, step, utc_ms);
        if (!sends_at(sender, step))
            continue;
        log_in_all(at, step, utc_ms);
        send_mail(at, step, utc_ms);
    }
    brake_book_fini(&at->book);
}

static void twenty_honest_senders_never_trigger_it(void **state)
{
    (void)state;
    assert_int_equal(sizeof(honest) / sizeof(honest[0]), 20);
    for (size_t i = 0; i < 20; i++) {
        struct simulation at;

        simulate(&at, &honest[i]);
        assert_true(at.n_recipients > 0);
        if (at.grounds.cause != BRAKE_NOT)
            fail_msg("%s: %s, %u recipients, %u bad, %u networks", honest[i].name,
                     brake_cause_name(at.grounds.cause), at.grounds.n_recipients, at.grounds.n_bad,
                     at.grounds.n_networks);
    }
}

static void stolen_passwords_trigger_it_soon(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stolen) / sizeof(stolen[0]); i++) {
        struct simulation at;

        simulate(&at, &stolen[i].sender);
        if (at.grounds.cause != stolen[i].cause || at.n_recipients > stolen[i].most_recipients)
            fail_msg("%s: %s after %u recipients, %u bad, %u networks", stolen[i].sender.name,
                     brake_cause_name(at.grounds.cause), at.n_recipients, at.grounds.n_bad,
                     at.grounds.n_networks);
    }
}

/* ---- at the edges ---- */

static struct brake_book book;
static int64_t utc_ms;

static int set_up(void **state)
{
    (void)state;
    utc_ms = FIRST_MS + (int64_t)10 * DAY_MS;
    brake_book_init(&book, FIRST_MS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    brake_book_fini(&book);
    return 0;
}

static enum brake_cause send_and_fail(uint32_t n_recipients, uint32_t n_bad)
{
    enum brake_cause cause = brake_book_accepted(&book, 1, n_recipients, utc_ms).cause;

    return cause ? cause : concluded(&book, n_recipients, n_bad, utc_ms).cause;
}

static bool login_from(unsigned network, enum brake_cause *cause)
{
    struct ip_address peer = {
        .bytes = {10, 0, (uint8_t)network, 1},
          .family = AF_INET
    };
    bool is_noteworthy;

    *cause = brake_book_login(&book, 1, peer, 0, utc_ms, &is_noteworthy).cause;
    return is_noteworthy;
}

static void two_hundred_recipients_and_a_tenth_are_the_edge(void **state)
{
    (void)state;
    assert_int_equal(send_and_fail(199, 100), BRAKE_NOT);
    assert_int_equal(brake_book_accepted(&book, 1, 1, utc_ms).cause, BRAKE_BAD_MAILBOXES);
    assert_int_equal(brake_book_accepted(&book, 1, 1, utc_ms).cause, BRAKE_NOT); /* said once */
    tear_down(NULL);
    set_up(NULL);
    assert_int_equal(send_and_fail(1000, 99), BRAKE_NOT);
    assert_int_equal(concluded(&book, 0, 1, utc_ms).cause, BRAKE_BAD_MAILBOXES);
}

static enum brake_cause fail_at(const char *receiver, uint32_t n_concluded, uint32_t n_bad)
{
    return brake_book_concluded(&book, 1,
                                &(struct brake_conclusions){slice_of(receiver), n_concluded, n_bad},
                                utc_ms)
        .cause;
}

static void send_to(uint32_t n)
{
    assert_int_equal(brake_book_accepted(&book, 1, n, utc_ms).cause, BRAKE_NOT);
    assert_int_equal(fail_at("", n, 0), BRAKE_NOT);
}

/* Sixty addresses of his own domain, all dead, on somebody's list of two hundred. */
static void a_strangers_domain_alone_does_not_pull_it(void **state)
{
    (void)state;
    send_to(200);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(fail_at("evil.example", 0, 1), BRAKE_NOT);
        utc_ms += 30000;
    }
    for (int i = 0; i < 9; i++)
        assert_int_equal(fail_at(i % 2 ? "a.example" : "b.example", 0, 1), BRAKE_NOT);
    assert_int_equal(fail_at("EVIL.example", 0, 1), BRAKE_NOT);
    assert_int_equal(fail_at("c.example", 0, 1), BRAKE_BAD_MAILBOXES); /* ten, and half of it */
}

static void where_half_of_the_mail_goes_all_bad_mailboxes_count(void **state)
{
    (void)state;
    assert_int_equal(brake_book_accepted(&book, 1, 200, utc_ms).cause, BRAKE_NOT);
    assert_int_equal(fail_at("big", 80, 15), BRAKE_NOT);
    assert_int_equal(fail_at("big", 19, 5), BRAKE_NOT); /* 99 of 200 */
    assert_int_equal(fail_at("big", 1, 0), BRAKE_BAD_MAILBOXES);
}

/* Many domains with a few dead addresses each hide nobody who has most of them. */
static void noise_does_not_hide_a_receiver(void **state)
{
    char name[32];

    (void)state;
    send_to(2000);
    for (int i = 0; i < 90; i++) {
        snprintf(name, sizeof(name), "d%d.example", i);
        assert_int_equal(fail_at(name, 0, 1), BRAKE_NOT);
        for (int k = 0; k < 4; k++)
            assert_int_equal(fail_at("evil.example", 0, 1), BRAKE_NOT);
    }
}

static void an_hour_later_all_is_new(void **state)
{
    (void)state;
    assert_int_equal(send_and_fail(150, 50), BRAKE_NOT);
    utc_ms += 66 * 60000;
    assert_int_equal(send_and_fail(150, 0), BRAKE_NOT);
    assert_int_equal(send_and_fail(150, 50), BRAKE_BAD_MAILBOXES);
}

static void three_known_networks_are_a_user_on_the_move(void **state)
{
    enum brake_cause cause = BRAKE_NOT;

    (void)state;
    for (unsigned n_known = 2; n_known <= 3; n_known++) {
        for (unsigned i = 0; i < n_known; i++)
            assert_true(login_from(i, &cause));
        utc_ms += DAY_MS;
        assert_int_equal(send_and_fail(500, 0), BRAKE_NOT);
        for (unsigned i = 0; i < 5; i++)
            (void)login_from(100 + i, &cause);
        assert_int_equal(cause, n_known == 2 ? BRAKE_LOGINS : BRAKE_NOT);
        tear_down(NULL);
        set_up(NULL);
    }
}

static void history_is_thirty_days(void **state)
{
    enum brake_cause cause;

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        (void)login_from(i, &cause);
    utc_ms += (int64_t)29 * DAY_MS;
    assert_int_equal(send_and_fail(500, 0), BRAKE_NOT);
    for (unsigned i = 0; i < 5; i++)
        (void)login_from(100 + i, &cause);
    assert_int_equal(cause, BRAKE_NOT); /* ten are known */
    utc_ms += (int64_t)31 * DAY_MS;
    assert_int_equal(send_and_fail(500, 0), BRAKE_NOT);
    for (unsigned i = 0; i < 5; i++)
        (void)login_from(200 + i, &cause);
    assert_int_equal(cause, BRAKE_LOGINS); /* none is */
}

static void a_network_is_stored_once_a_day(void **state)
{
    enum brake_cause cause;

    (void)state;
    assert_true(login_from(1, &cause));
    assert_false(login_from(1, &cause));
    utc_ms += DAY_MS - 1;
    assert_false(login_from(1, &cause));
    utc_ms += 1;
    assert_true(login_from(1, &cause));
}

static void after_a_release_it_watches_anew(void **state)
{
    enum brake_cause cause;

    (void)state;
    assert_int_equal(send_and_fail(500, 100), BRAKE_BAD_MAILBOXES);
    brake_book_release(&book, 1);
    assert_int_equal(send_and_fail(150, 0), BRAKE_NOT);
    assert_int_equal(send_and_fail(100, 30), BRAKE_BAD_MAILBOXES);
    brake_book_release(&book, 1);
    for (unsigned i = 0; i < 5; i++)
        (void)login_from(i, &cause);
    assert_int_equal(send_and_fail(300, 0), BRAKE_LOGINS);
    brake_book_release(&book, 1);
    assert_int_equal(send_and_fail(300, 0), BRAKE_NOT); /* these networks are his */
}

static void what_could_not_be_pulled_is_pulled_by_the_next_message(void **state)
{
    enum brake_cause cause;

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        (void)login_from(i, &cause);
    assert_int_equal(send_and_fail(300, 0), BRAKE_LOGINS);
    assert_int_equal(send_and_fail(1, 0), BRAKE_NOT);
    brake_book_rearm(&book, 1); /* the hour and the networks are what they were */
    assert_int_equal(send_and_fail(1, 0), BRAKE_LOGINS);
}

static void a_history_is_taken_up_at_a_start(void **state)
{
    enum brake_cause cause = BRAKE_NOT;

    (void)state;
    brake_book_fini(&book);
    brake_book_init(&book, utc_ms); /* just started: there is nothing to compare with, */
    assert_int_equal(send_and_fail(500, 0), BRAKE_NOT);
    for (unsigned i = 0; i < 9; i++)
        (void)login_from(i, &cause);
    assert_int_equal(cause, BRAKE_NOT);
    brake_book_fini(&book);
    brake_book_init(&book, utc_ms); /* but for what was stored */
    assert_int_equal(
        brake_book_load(
            &book, &(struct brake_network){1, 77, utc_ms - (int64_t)5 * DAY_MS, utc_ms - DAY_MS}),
        0);
    assert_int_equal(send_and_fail(500, 0), BRAKE_NOT);
    for (unsigned i = 0; i < 9 && cause == BRAKE_NOT; i++)
        (void)login_from(i, &cause);
    assert_int_equal(cause, BRAKE_LOGINS);
}

static void memory_of_a_user_is_bounded(void **state)
{
    enum brake_cause cause;

    (void)state;
    for (unsigned i = 0; i < 250; i++)
        (void)login_from(i, &cause);
    assert_false(login_from(249, &cause)); /* of many the recent ones stay */
    assert_true(login_from(0, &cause));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_honest_senders_never_trigger_it),
        cmocka_unit_test(stolen_passwords_trigger_it_soon),
        TEST(two_hundred_recipients_and_a_tenth_are_the_edge),
        TEST(a_strangers_domain_alone_does_not_pull_it),
        TEST(where_half_of_the_mail_goes_all_bad_mailboxes_count),
        TEST(noise_does_not_hide_a_receiver),
        TEST(an_hour_later_all_is_new),
        TEST(three_known_networks_are_a_user_on_the_move),
        TEST(history_is_thirty_days),
        TEST(a_network_is_stored_once_a_day),
        TEST(after_a_release_it_watches_anew),
        TEST(what_could_not_be_pulled_is_pulled_by_the_next_message),
        TEST(a_history_is_taken_up_at_a_start),
        TEST(memory_of_a_user_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
