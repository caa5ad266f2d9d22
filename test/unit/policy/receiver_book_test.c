/* What is built in is in order, and says what the providers' facts say. */
#include "policy/receiver_book.h"

#include <errno.h>
#include <stdio.h>

#include "relay/base/secret.h"
#include "test/support/test_support.h"

static struct receiver_book *make_book(void)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct receiver_book *book = NULL;
    int error = receiver_book_new(&book, NULL, &problem);

    if (error < 0)
        fprintf(stderr, "%.*s", (int)problem.len, problem.data ? problem.data : "");
    assert_int_equal(error, 0);
    assert_int_equal(problem.len, 0);
    return book;
}

static void what_is_built_in_is_in_order(void **state)
{
    struct receiver_book *book = make_book();

    (void)state;
    assert_true(book->providers.n_entries >= 28);
    assert_non_null(book->providers.mixed);
    assert_true(book->rules.n_rules >= 40);
    assert_true(book->classes.n_blocks >= 20);
    receiver_book_unref(book);
}

/* ---- whose site is it? ---- */

static const struct {
    const char *domain, *hosts; /* hosts: parted by blanks */
    const char *provider;       /* NULL: nobody's */
} sites[] = {
    {"shop.example",   "aspmx.l.google.com alt1.aspmx.l.google.com",   "google"       },
    {"shop.example",   "ASPMX.L.GOOGLE.COM. alt2.aspmx.l.google.com.", "google"       },
    {"shop.example",   "aspmx3.googlemail.com aspmx.l.google.com",     "google"       },
    {"shop.example",   "aspmx.l.google.com mx.backup.example",         "mixed"        },
    {"shop.example",   "mx.backup.example aspmx.l.google.com",         "mixed"        },
    {"shop.example",   "aspmx.l.google.com mta5.am0.yahoodns.net",     "mixed"        },
    {"shop.example",   "mx1.shop.example mx2.shop.example",            NULL           },
    {"shop.example",   "evilgoogle.com",                               NULL           },
    {"shop.example",   "mx.google.com.evil.example",                   NULL           },
    {"shop.example",   "google.com",                                   NULL           },
    {"shop.example",   "",                                             NULL           },
    {"gmail.com",      "gmail-smtp-in.l.google.com",                   "google"       },
    {"gmail.com",      "mx.elsewhere.example",                         "google"       },
    {"shop.example",   "shop.mail.protection.outlook.com",             "microsoft-365"},
    {"shop.example",   "shop-example.o-v1.mx.microsoft",               "microsoft-365"},
    {"hotmail.com",    "hotmail-com.olc.protection.outlook.com",       "outlook"      },
    {"shop.example",   "d1.ess.de.barracudanetworks.com",              "barracuda"    },
    {"netvigator.com", "mx1.netvigator.com",                           "netvigator"   },
    {"kpnmail.nl",     "mx.kpnmail.nl",                                "kpn"          },
    {"LIBERO.IT",      "smtp-in.libero.it",                            "italiaonline" },
    {"virgilio.it",    "smtp-in.virgilio.it",                          "italiaonline" },
    {"tiscali.it",     "etb-1.mail.tiscali.it",                        "tiscali"      },
    {"alice.it",       "smtp.aliceposta.it",                           "tim"          },
    {"tin.it",         "smtp.tin.it",                                  "tim"          },
    {"shop.example",   "mx.shop.example.cloud.aruba.it mx2.aruba.it",  "aruba"        },
    {"shop.example",   "mx.pec.aruba.it",                              "pec"          },
    {"name.pec.it",    "mx.anything.example",                          "pec"          },
    {"fastwebnet.it",  "mx.fastwebnet.it",                             "fastweb"      },
    {"yahoo.co.jp",    "mx1.mail.yahoo.co.jp",                         "yahoo-japan"  },
    {"yahoo.com",      "mta5.am0.yahoodns.net mta6.am0.yahoodns.net",  "yahoo"        },
};

static size_t split(const char *hosts, struct slice out[8])
{
    struct slice rest = slice_of(hosts), word;
    size_t n = 0;

    while ((word = data_take_word(&rest)).len > 0)
        out[n++] = word;
    return n;
}

static void a_site_belongs_to_whom_all_its_hosts_belong(void **state)
{
    struct receiver_book *book = make_book();

    (void)state;
    for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
        struct slice hosts[8];
        size_t n = split(sites[i].hosts, hosts);
        const struct provider_entry *entry =
            provider_table_match(&book->providers, slice_of(sites[i].domain), hosts, n);
        const char *name = entry ? entry->name.data : "nobody";

        if (strcmp(name, sites[i].provider ? sites[i].provider : "nobody") != 0)
            fail_msg("%s (%s) is %s's", sites[i].domain, sites[i].hosts, name);
    }
    receiver_book_unref(book);
}

static void what_is_published_about_limits_is_in_the_table(void **state)
{
    static const struct {
        const char *name;
        uint32_t connections, address_connections, connection_messages, messages_per_second;
        bool tls_required;
    } rows[] = {
        {"google",        5,  0, 50,   0,  true },
        {"yahoo",         0,  0, 20,   0,  false},
        {"yahoo-japan",   2,  0, 20,   10, false},
        {"outlook",       5,  0, 50,   0,  false},
        {"microsoft-365", 5,  0, 50,   0,  false},
        {"apple",         10, 0, 5,    0,  false},
        {"gmx",           4,  0, 20,   0,  true },
        {"comcast",       25, 0, 1000, 0,  true },
        {"orange",        2,  2, 100,  0,  true },
        {"mimecast",      10, 0, 100,  0,  false},
        {"barracuda",     10, 0, 15,   0,  true },
        {"netvigator",    5,  0, 10,   0,  true },
        {"kpn",           10, 0, 10,   0,  true },
        {"qq",            4,  0, 8,    0,  true },
        {"netease",       4,  0, 7,    0,  true },
        {"italiaonline",  2,  0, 20,   2,  false},
        {"tiscali",       2,  0, 20,   1,  false},
        {"aruba",         3,  0, 30,   3,  false},
    };
    struct receiver_book *book = make_book();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct provider_entry *entry =
            provider_table_named(&book->providers, slice_of(rows[i].name));

        assert_non_null(entry);
        assert_int_equal(entry->limits.connections, rows[i].connections);
        assert_int_equal(entry->limits.address_connections, rows[i].address_connections);
        assert_int_equal(entry->limits.connection_messages, rows[i].connection_messages);
        assert_int_equal(entry->limits.messages_per_second, rows[i].messages_per_second);
        assert_int_equal(entry->limits.tls_required, rows[i].tls_required);
    }
    receiver_book_unref(book);
}

/* ---- replies ---- */

static const struct {
    const char *provider; /* NULL: a stranger */
    const char *sample;
    const char *rule; /* NULL: none */
} replies[] = {
    {"google",        "550 5.1.1 The email account that you tried to reach does not exist.", NULL                 },
    {"google",        "452 4.2.2 The recipient's inbox is out of storage space.",            NULL                 },
    {"google",        "421 4.7.28 unusual rate of mail",                                     "google-unusual-rate"},
    {NULL,            "421 4.7.28 unusual rate of mail",                                     NULL                 },
    {"microsoft-365", "451 4.7.500 Server busy. Please try again later (S77719)",            "microsoft-rate"     },
    {"outlook",       "421 4.3.2 Server busy",                                               "microsoft-busy"     },
    {"microsoft-365", "421 4.3.2 Server busy",                                               "microsoft-busy"     },
    {"apple",         "450 4.7.1 deferred HCM1",                                             "apple-later"        },
    {NULL,            "550 5.7.1 Message rejected",                                          NULL                 },
    {NULL,            "550 5.7.1 Relaying denied",                                           NULL                 },
    {NULL,            "450 4.2.0 Greylisted, please come back in 5 minutes",                 NULL                 },
    {NULL,            "550 5.1.1 User unknown",                                              NULL                 },
    {NULL,            "452 4.2.2 mailbox is over quota",                                     NULL                 },
    {"yahoo",         "450 4.7.1 slow down",                                                 "any-slow-down"      },
    {NULL,            "450 4.7.1 you send too many messages, slow down",                     "any-slow-down"      },
};

static void replies_are_decided_by_the_rule_meant_for_them(void **state)
{
    struct receiver_book *book = make_book();

    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        struct smtp_reply reply = {0};
        struct slice text = slice_of(replies[i].sample);
        struct reply_facts facts;
        const struct reply_rule *rule;
        uint64_t code;

        assert_true(slice_to_number(data_take_word(&text), 599, &code));
        reply.code = (uint16_t)code;
        assert_true(enhanced_status_read(&text, &reply.status));
        reply.text = text;
        reply_facts_fill(&facts, SMTP_PHASE_RCPT, &reply);
        rule = reply_rules_find(
            &book->rules, provider_table_named(&book->providers, slice_of(replies[i].provider)),
            &facts);
        if (strcmp(rule ? rule->name.data : "", replies[i].rule ? replies[i].rule : "") != 0)
            fail_msg("%s is decided by %s", replies[i].sample, rule ? rule->name.data : "none");
    }
    receiver_book_unref(book);
}

static void a_bare_550_5_7_1_is_policy_and_nothing_worse(void **state)
{
    static const char *const texts[] = {"Message rejected", "Relaying denied",   "Denied", "",
                                        "Not allowed",      "Rejected by policy"};
    struct receiver_book *book = make_book();

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct smtp_reply reply = {
            550, {5, 7, 1},
             slice_of(texts[i])
        };

        assert_string_equal(bounce_class_name(receiver_book_class(book, SMTP_PHASE_RCPT, &reply)),
                            "policy");
    }
    receiver_book_unref(book);
}

static void what_fits_nothing_is_other(void **state)
{
    struct receiver_book *book = make_book();
    struct smtp_reply reply = {
        550, {0, 0, 0},
         slice_of("42")
    };

    (void)state;
    assert_int_equal(receiver_book_class(book, SMTP_PHASE_DOT, &reply), BOUNCE_OTHER);
    receiver_book_unref(book);
}

static void lines_of_a_reply_are_looked_at_as_one(void **state)
{
    struct receiver_book *book = make_book();
    struct smtp_reply reply = {
        550, {0, 0, 0},
         slice_of("No such\nuser here")
    };

    (void)state;
    assert_int_equal(receiver_book_class(book, SMTP_PHASE_RCPT, &reply), BOUNCE_BAD_MAILBOX);
    receiver_book_unref(book);
}

/* ---- files that are not in order ---- */

#define PROVIDERS "provider big\nmx .big.example\nprovider small\nmx .small.example\n"
#define GOOD      "rule a\nprovider big\ncode 421\nreason so\nsample mail 421 slow\n"
#define WHEN      "when at once do slow on lane\n"

static const struct {
    enum receiver_file file;
    const char *text, *problem;
} broken[] = {
    {RECEIVER_PROVIDERS, "mx .a.example\n",                                                          ":1: mx before the first provider"                 },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example.\n",                                             ":2: .a.example. ends with a dot"                  },
    {RECEIVER_PROVIDERS, "provider a\nmx .A.example\n",                                              ":2: .A.example has a character"                   },
    {RECEIVER_PROVIDERS, "provider a\nmx .a..example\n",                                             "has an empty label"                               },
    {RECEIVER_PROVIDERS, "provider a\nmx example\n",                                                 "is no host name"                                  },
    {RECEIVER_PROVIDERS, "provider a\nconnections 5\n",                                              ":1: provider a: no mx and no domain"              },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\nprovider a\nmx .b.example\n",
     ":3: provider a: a second one"                                                                                                                     },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\nprovider b\nmx .x.a.example\n",
     ":3: provider b: .x.a.example already belongs to a"                                                                                                },
    {RECEIVER_PROVIDERS, "provider a\ndomain a.example\nprovider b\ndomain a.example\n",
     "a.example already belongs to"                                                                                                                     },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\nconnections 0\n",                               ":3: a number from 1"                              },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\nrate 5\n",                                      ":3: a rate is"                                    },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\nidle 40d\n",                                    ":3: a time is"                                    },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\ntls perhaps\n",                                 ":3: tls is"                                       },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\ncolour red\n",                                  ":3: no such word: colour"                         },
    {RECEIVER_PROVIDERS, "provider a\nmx\n",                                                         ":2: mx: the value is missing"                     },
    {RECEIVER_PROVIDERS, "provider A\nmx .a.example\n",                                              ":1: a provider's name"                            },
    {RECEIVER_PROVIDERS, "provider mixed\nmx .a.example\n",                                          "mixed is what belongs to no provider"             },
    {RECEIVER_PROVIDERS, "provider a\nmx .a.example\nno\x01te x\n",                                  ":3: a line is a word"                             },
    {RECEIVER_RULES,     "code 421\n",                                                               ":1: code outside of a rule"                       },
    {RECEIVER_RULES,     GOOD,                                                                       ":1: rule a: the line `when` is missing"           },
    {RECEIVER_RULES,     "rule a\nprovider gmail\n",                                                 ":2: no provider is called gmail"                  },
    {RECEIVER_RULES,     GOOD WHEN "text \\\\[HCM1\\\\]\n",
     ":7: the text's pattern asks for a backslash"                                                                                                      },
    {RECEIVER_RULES,     GOOD WHEN "text (a\n",                                                      ":7: the text's pattern does not compile"          },
    {RECEIVER_RULES,     GOOD WHEN "text a*\n",                                                      ":7: the text's pattern matches every text"        },
    {RECEIVER_RULES,     GOOD WHEN "text (*UTF)a\n",                                                 ":7: the text's pattern does not compile"          },
    {RECEIVER_RULES,     GOOD WHEN "text a\\Cb\n",                                                   ":7: the text's pattern does not compile"          },
    {RECEIVER_RULES,     GOOD WHEN "sample dot 550 no\n",                                            ":7: a: this sample does not fit"                  },
    {RECEIVER_RULES,     GOOD WHEN "other mail 421 too\n",                                           ":7: a: this fits, and must not"                   },
    {RECEIVER_RULES,     GOOD WHEN "sample nowhere 421 x\n",                                         ":7: a sample is"                                  },
    {RECEIVER_RULES,     GOOD WHEN "phase somewhere\n",                                              "no phase is called somewhere"                     },
    {RECEIVER_RULES,     GOOD WHEN "code 42\n",                                                      "not 42"                                           },
    {RECEIVER_RULES,     GOOD WHEN "enhanced 3.1.1\n",                                               "not 3.1.1"                                        },
    {RECEIVER_RULES,     "rule a\nprovider big\nreason so\n" WHEN "phase mail\nsample mail 421 x\n",
     ":1: a: no code, no enhanced code and no text"                                                                                                     },
    {RECEIVER_RULES,     "rule a\nprovider big\nreason so\ncode 421\n" WHEN,                         ":1: a: no sample"                                 },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do suspend on lane\n",                                   ":6: without an end"                               },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do bounce on lane\n",                                    ":6: this action has no meaning"                   },
    {RECEIVER_RULES,     GOOD "when 3 do slow on lane\n",                                            ":6: a trigger is"                                 },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do explode on lane\n",                                   ":6: an action stands"                             },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do slow on earth\n",                                     ":6: a scope stands"                               },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do limit on lane for 1h\n",                              ":6: limit what?"                                  },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do limit 3 on lane for 1h\n",                            ":6: a limit is"                                   },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do slow on lane for 1h\n",                               ":6: this action has no time"                      },
    {RECEIVER_RULES,     GOOD "when 3 in 1h do suspend on lane for 1h and more\n",                   ":6: behind"                                       },
    {RECEIVER_RULES,     GOOD "when 200% of 3 in 1h do slow on lane\n",                              ":6: a trigger is"                                 },
    {RECEIVER_RULES,     GOOD "when 20% of 3 in 1h do suspend on user for 1h\n",                     ":6: a ratio is"                                   },
    {RECEIVER_RULES,
     GOOD "when 5 in 1h do suspend on lane for 1h\nwhen 3 in 1h do limit 1/m on lane for 1h\n",
     ":1: rule a: its lines `when` do not grow"                                                                                                         },
    {RECEIVER_RULES,     GOOD WHEN GOOD WHEN,                                                        ":7: rule a: a second one"                         },
 /* In the shadow of the one before: for the same provider, for all. */
    {RECEIVER_RULES,
     GOOD WHEN "rule b\nprovider big small\ncode 421\ntext slow\nreason so\n"
               "sample mail 421 slow\n" WHEN,
     "rule b: at big this sample is decided by rule a"                                                                                                  },
    {RECEIVER_RULES,
     "rule z\nprovider *\ncode 4xx\nreason so\nsample mail 421 slow\n" WHEN GOOD WHEN,
     "rule a: at big this sample is decided by rule z"                                                                                                  },
    {RECEIVER_RULES,     "rule z\nprovider *\ncode 5xx\nreason so\nsample rcpt 550 x\n" WHEN,
     "takes this for more than one recipient's matter"                                                                                                  },
    {RECEIVER_CLASSES,   "class nonsense\ncode 550\nsample rcpt 550 x\n",
     "no bounce class is called"                                                                                                                        },
    {RECEIVER_CLASSES,   "code 550\n",                                                               ":1: code outside of a class"                      },
    {RECEIVER_CLASSES,   "class policy\ncode 550\nsample rcpt 550 x\nwhen at once\n",
     ":4: no such word: when"                                                                                                                           },
    {RECEIVER_CLASSES,
     "class policy\ncode 550\nsample rcpt 550 x\nclass other\ncode 550\nsample rcpt 550 y\n",        ":6: class other: this sample is decided in line 1"},
};

static void what_is_not_in_order_is_named_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
        struct data_file files[N_RECEIVER_FILES] = {
            [RECEIVER_PROVIDERS] = {"p", slice_of(PROVIDERS) },
            [RECEIVER_RULES] = {"r", slice_of("# none\n")},
        };
        struct receiver_book *book = NULL;

        files[broken[i].file] = (struct data_file){"file", slice_of(broken[i].text)};
        if (receiver_book_new(&book, files, &problem) == 0) {
            receiver_book_unref(book);
            fail_msg("in order: %s", broken[i].text);
        }
        if (slice_search(buffer_slice(&problem), slice_of(broken[i].problem)) < 0)
            fail_msg("%s\n-> %.*s", broken[i].text, (int)problem.len, problem.data);
    }
}

static void problems_are_bounded_and_free_of_control_characters(void **state)
{
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES] = {0};
    struct receiver_book *book = NULL;
    size_t n_lines = 0;

    (void)state;
    for (int i = 0; i < 10000; i++)
        buffer_append_text(&text, "\x1b[31mred x\n");
    files[RECEIVER_PROVIDERS] = (struct data_file){"file", buffer_slice(&text)};
    assert_true(receiver_book_new(&book, files, &problem) < 0);
    for (size_t i = 0; i < problem.len; i++) {
        n_lines += problem.data[i] == '\n';
        assert_true(problem.data[i] >= ' ' || problem.data[i] == '\n');
    }
    assert_in_range(n_lines, 1, DATA_MAX_PROBLEMS);
}

static void a_good_small_set_is_taken(void **state)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES] = {
        {"p", slice_of(PROVIDERS)                                          },
        {"r", slice_of(GOOD WHEN)                                          },
        {"c", slice_of("class policy\r\ncode 550\r\nsample rcpt 550 x\r\n")},
    };
    struct receiver_book *book = NULL;

    (void)state;
    assert_int_equal(receiver_book_new(&book, files, &problem), 0);
    assert_int_equal(book->rules.n_rules, 1);
    receiver_book_unref(book);
}

/* An operator's table need not have all the providers that rules are built in for. */
static void rules_built_in_for_absent_providers_are_left_out(void **state)
{
    CLEANUP(buffer) struct buffer problem = BUFFER_INIT;
    struct data_file files[N_RECEIVER_FILES] = {
        {"p", slice_of("provider google\nmx .google.com\n")}
    };
    struct receiver_book *book = NULL;

    (void)state;
    assert_int_equal(receiver_book_new(&book, files, &problem), 0);
    assert_true(book->rules.n_left_out > 20);
    for (size_t i = 0; i < book->rules.n_rules; i++)
        assert_true(slice_starts_with(book->rules.rules[i].name, SLICE_LITERAL("google-")) ||
                    book->rules.rules[i].is_for_all);
    receiver_book_unref(book);
    book = make_book();
    assert_int_equal(book->rules.n_left_out, 0);
    receiver_book_unref(book);
}

/* ---- hostile patterns and texts ---- */

static void a_match_that_would_cost_too_much_is_none(void **state)
{
    static const char *const patterns[] = {"(a+)+$", "(a|aa)+$", "(.*)*x",
                                           "^(([a-z])+.)+[A-Z]([a-z])+$"};
    char text[4000];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[PATTERN_MOST_TEXT - 1] = '!';
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        char why[PATTERN_WHY_SIZE] = "";
        struct reply_pattern *pattern = NULL;

        if (reply_pattern_new(&pattern, slice_of(patterns[i]), why) < 0)
            continue; /* "(.*)*x" and the like may be refused, too */
        for (int round = 0; round < 100; round++)
            assert_false(reply_pattern_fits(pattern, slice_from(text, sizeof(text))));
        reply_pattern_free(pattern);
    }
}

static void patterns_that_grow_are_refused(void **state)
{
    static const char *const patterns[] = {"((((a{1000}){1000}){1000}){1000})",
                                           "((((((((((((((((((((((((a))))))))))))))))))))))))",
                                           "(?R)a|a",
                                           "a{65536}",
                                           "(?<=a*)b",
                                           "(?P<n>a"};
    char why[PATTERN_WHY_SIZE] = "", longer[2 * PATTERN_MOST_LENGTH];

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct reply_pattern *pattern = NULL;

        if (reply_pattern_new(&pattern, slice_of(patterns[i]), why) == 0) {
            assert_false(reply_pattern_fits(pattern, slice_of("zzz")));
            reply_pattern_free(pattern);
        }
    }
    memset(longer, 'a', sizeof(longer));
    struct reply_pattern *none = NULL;
    assert_int_equal(reply_pattern_new(&none, slice_from(longer, sizeof(longer)), why), -EINVAL);
    assert_null(none);
}

static int start(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_in_is_in_order),
        cmocka_unit_test(a_site_belongs_to_whom_all_its_hosts_belong),
        cmocka_unit_test(what_is_published_about_limits_is_in_the_table),
        cmocka_unit_test(replies_are_decided_by_the_rule_meant_for_them),
        cmocka_unit_test(a_bare_550_5_7_1_is_policy_and_nothing_worse),
        cmocka_unit_test(what_fits_nothing_is_other),
        cmocka_unit_test(lines_of_a_reply_are_looked_at_as_one),
        cmocka_unit_test(what_is_not_in_order_is_named_with_its_line),
        cmocka_unit_test(problems_are_bounded_and_free_of_control_characters),
        cmocka_unit_test(a_good_small_set_is_taken),
        cmocka_unit_test(rules_built_in_for_absent_providers_are_left_out),
        cmocka_unit_test(a_match_that_would_cost_too_much_is_none),
        cmocka_unit_test(patterns_that_grow_are_refused),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
