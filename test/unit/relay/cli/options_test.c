#include "test/support/test_support.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "relay/cli/cli.h"
#include "relay/cli/options.h"
#include "relay/cli/verbs.h"

enum { MOST_WORDS = 16 };

/* Words parted by blanks, as main() gets them; "''" is an empty one. */
static int split(const char *words, char *argv[MOST_WORDS])
{
    static char copy[512];
    char *rest = copy, *word;
    int argc = 0;

    snprintf(copy, sizeof(copy), "%s", words);
    while (argc < MOST_WORDS && (word = strsep(&rest, " ")))
        if (*word)
            argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    return argc;
}

static bool take(struct options *options, const char *allowed, const char *words)
{
    char *argv[MOST_WORDS];
    int argc = split(words, argv);

    *options = (struct options){.allowed = allowed, .socket_path = "default"};
    return options_take(options, argc, argv, 0);
}

static void options_stand_anywhere_among_arguments(void **state)
{
    static const char *const lines[] = {
        "a b --user u --all", "--user u a --all b",          "--all --user=u a b",
        "a --all b --user=u", "a --user x --all b --user u",
    };
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_true(take(&options, "all user= from=", lines[i]));
        assert_int_equal(options.n_arguments, 2);
        assert_string_equal(options.arguments[0], "a");
        assert_string_equal(options.arguments[1], "b");
        assert_string_equal(option(&options, "user"), "u"); /* the last one counts */
        assert_string_equal(option(&options, "all"), "");
        assert_false(option_is_set(&options, "from"));
    }
}

static void globals_stand_anywhere_too(void **state)
{
    struct options options;

    (void)state;
    assert_true(take(&options, "", "a --json --socket /s"));
    assert_true(options.wants_json);
    assert_string_equal(options.socket_path, "/s");
    assert_int_equal(options.n_arguments, 1);
    assert_true(take(&options, "", "--socket=/t"));
    assert_string_equal(options.socket_path, "/t");
    assert_true(take(&options, "", "--help"));
    assert_true(options.wants_help);
}

static void two_dashes_end_the_options(void **state)
{
    struct options options;

    (void)state;
    assert_true(take(&options, "user=", "--user u -- --user --json --"));
    assert_int_equal(options.n_arguments, 3);
    assert_string_equal(options.arguments[0], "--user");
    assert_false(options.wants_json);
}

static void one_dash_is_an_argument(void **state)
{
    struct options options;

    (void)state;
    assert_true(take(&options, "", "- -x"));
    assert_int_equal(options.n_arguments, 2);
}

static void values_may_look_like_options(void **state)
{
    struct options options;

    (void)state;
    assert_true(take(&options, "reason=", "--reason --json"));
    assert_string_equal(option(&options, "reason"), "--json");
    assert_false(options.wants_json);
}

static void what_is_wrong_is_refused(void **state)
{
    static const char *const lines[] = {
        "--nonsense", "--use u",   "--users u", "--user",        "--all=yes", "--socket",
        "''",         "--user ''", "--user=",   "--user u \xff", "--=x",      "--user \xc3",
    };
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (take(&options, "all user=", lines[i]))
            fail_msg("taken: %s", lines[i]);
}

static void only_a_sender_may_be_empty(void **state)
{
    struct options options;

    (void)state;
    assert_true(take(&options, "from=", "--from ''"));
    assert_string_equal(option(&options, "from"), "");
    assert_true(option_is_set(&options, "from"));
}

static void too_many_are_refused(void **state)
{
    enum { N = ARGUMENTS_MAX + 1 };
    static struct options options;
    static char *argv[N], word[] = "x", sender[] = "--sender=x";

    (void)state;
    for (int i = 0; i < N; i++)
        argv[i] = word;
    options.allowed = "";
    assert_false(options_take(&options, N, argv, 0));
    options = (struct options){.allowed = "sender="};
    for (int i = 0; i < OPTIONS_MAX + 1; i++)
        argv[i] = sender;
    assert_true(options_take(&options, OPTIONS_MAX, argv, 0));
    options = (struct options){.allowed = "sender="};
    assert_false(options_take(&options, OPTIONS_MAX + 1, argv, 0));
}

/* ---- the table ---- */

static void every_verb_of_the_contract_is_there(void **state)
{
    static const char *const words[][2] = {
        {"config",      "check"   },
        {"config",      "show"    },
        {"user",        "add"     },
        {"user",        "list"    },
        {"user",        "show"    },
        {"user",        "password"},
        {"user",        "disable" },
        {"user",        "enable"  },
        {"user",        "delete"  },
        {"user",        "limit"   },
        {"network",     "add"     },
        {"network",     "list"    },
        {"network",     "delete"  },
        {"domain",      "add"     },
        {"domain",      "list"    },
        {"domain",      "check"   },
        {"domain",      "delete"  },
        {"dkim",        "new"     },
        {"dkim",        "dns"     },
        {"dkim",        "list"    },
        {"queue",       "list"    },
        {"queue",       "summary" },
        {"queue",       "why"     },
        {"queue",       "rebuild" },
        {"queue",       "show"    },
        {"queue",       "retry"   },
        {"queue",       "hold"    },
        {"queue",       "release" },
        {"queue",       "requeue" },
        {"queue",       "bounce"  },
        {"queue",       "delete"  },
        {"destination", "list"    },
        {"destination", "show"    },
        {"destination", "suspend" },
        {"destination", "resume"  },
        {"health",      NULL      },
        {"version",     NULL      },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!verb_find(words[i][0], words[i][1]))
            fail_msg("%s %s", words[i][0], words[i][1] ? words[i][1] : "");
    assert_null(verb_find("queue", NULL));
    assert_null(verb_find("queue", "lis"));
    assert_null(verb_find("backup", "list"));
    assert_true(verb_has_noun("queue"));
    assert_false(verb_has_noun("list"));
}

static void the_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_verbs; i++) {
        const struct verb *verb = &verbs[i];

        assert_true(verb->run && verb->help && verb->options);
        assert_true(verb->least <= verb->most);
        assert_ptr_equal(verb_find(verb->noun, verb->name), verb); /* no row hides another */
    }
}

static int run(const char *words)
{
    char *argv[MOST_WORDS];
    int argc = split(words, argv);

    return cli_main(argc, argv);
}

static void usage_ends_with_64(void **state)
{
    static const char *const lines[] = {
        "staffetta",           "staffetta user",          "staffetta user show",
        "staffetta --socket",  "staffetta user list x",   "staffetta --json user list --nonsense",
        "staffetta queue lis", "staffetta user --socket",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(run(lines[i]), EX_USAGE);
    assert_int_equal(run("staffetta user --json list --help"), EX_OK);
}

static void without_a_service_it_is_69(void **state)
{
    (void)state;
    assert_int_equal(run("staffetta health --socket /nonexistent/control.sock"), EX_UNAVAILABLE);
    assert_int_equal(run("staffetta --socket=/nonexistent version"), EX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_among_arguments),
        cmocka_unit_test(globals_stand_anywhere_too),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(one_dash_is_an_argument),
        cmocka_unit_test(values_may_look_like_options),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(only_a_sender_may_be_empty),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(every_verb_of_the_contract_is_there),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(usage_ends_with_64),
        cmocka_unit_test(without_a_service_it_is_69),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
