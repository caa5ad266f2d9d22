#include "test/support/test_support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "relay/control/config.h"

static struct buffer problem;

static struct settings *parse(const char *text)
{
    struct settings *settings = NULL;

    buffer_clear(&problem);
    if (config_parse(&settings, "test.conf", slice_of(text), &problem) < 0)
        return NULL;
    return settings;
}

static void an_empty_file_means_the_defaults(void **state)
{
    struct settings *settings = parse("");

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->data_dir, "/var/lib/staffetta");
    assert_int_equal(settings->n_listen, 0);
    assert_int_equal(settings->limits.message_size, 50000000);
    assert_int_equal(settings->delivery.retry.n_items, 6);
    assert_int_equal(settings->delivery.retry.items[3], 3600000);
    assert_int_equal(settings->delivery.expire, 5LL * 86400000);
    settings_unref(settings);
}

static void the_file_of_the_manual_parses_whole(void **state)
{
    struct settings *settings =
        parse("hostname  = \"relay.example.com\"\n"
              "timezone  = \"Europe/Rome\"\n"
              "tls \"default\" { certificate = \"/etc/c.pem\"  key = \"/etc/k.pem\" }\n"
              "listen \"submission\"  { address = { \"0.0.0.0:587\", \"[::]:587\" }  tls = "
              "\"starttls\" }\n"
              "listen \"smtp\" { address = \"0.0.0.0:25\" auth = none repair_newlines = yes }\n"
              "panel { address = \"127.0.0.1:8025\" }\n"
              "resolver { forward = { \"127.0.0.1:5353\" }  trust_anchor = \"/etc/root.key\" }\n"
              "delivery { port = 25  bind = { \"192.0.2.10\" }  tls = \"may\"  retry = { \"5m\", "
              "\"1h\" }\n"
              "           expire = \"5d\"  allow_mx = { } }\n"
              "route \"example.org\"  { via = \"127.0.0.1:2526\" }\n"
              "limits { message_size = \"20MB\"  recipients = 1000 }\n"
              "log { format = \"json\" }\n");

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->listen[0].title, "submission");
    assert_int_equal(settings->listen[0].address.n_items, 2);
    assert_string_equal(settings->listen[0].address.items[1], "[::]:587");
    assert_string_equal(settings->listen[0].auth, "required");
    assert_int_equal(settings->listen[1].address.n_items, 1);
    assert_string_equal(settings->listen[1].auth, "none");
    assert_true(settings->listen[1].repair_newlines);
    assert_int_equal(settings->delivery.retry.n_items, 2);
    assert_int_equal(settings->delivery.allow_mx.n_items, 0);
    assert_string_equal(settings->route[0].title, "example.org");
    assert_int_equal(settings->limits.message_size, 20000000);
    settings_unref(settings);
}

static void later_values_of_a_repeated_untitled_section_win(void **state)
{
    struct settings *settings =
        parse("limits { recipients = 200 message_size = 1MB }\nlimits { recipients = 300 }\n");

    (void)state;
    assert_non_null(settings);
    assert_int_equal(settings->limits.recipients, 300);
    assert_int_equal(settings->limits.message_size, 1000000);
    settings_unref(settings);
}

/* What a file says, and what its refusal must name. */
static const struct {
    const char *text, *reason;
} bad_files[] = {
    {"hostnam = \"x\"",                                                                "test.conf:1: no such option 'hostnam'"                  },
    {"\n\nlimits { recipients = 5 }",                                                  "test.conf:3: recipients: '5' is outside 100..100000"    },
    {"\ndelivery {\n expire = \"5 weeks\"\n}",                                         "test.conf:3: expire: '5 weeks' is not a duration"       },
    {"delivery { tls = \"perhaps\" }",
     "test.conf:1: tls: 'perhaps' is not one of never|may|verify"                                                                               },
    {"limits { message_size = 99999999999999999999MB }",                               "is not a size"                                          },
    {"log { format = }",                                                               "test.conf:1:"                                           },
    {"listen \"a\" { address = \"[::]:25\" }\nlisten \"a\" { address = \"[::]:26\" }",
     "test.conf:2:"                                                                                                                             },
    {"listen \"a\" { plain_auth = maybe }",
     "test.conf:1: plain_auth: 'maybe' is not true or false"                                                                                    },
    {"listen \"a\" { }",                                                               "listen \"a\": no address"                               },
    {"tls \"a\" { key = \"k\" }",                                                      "tls \"a\": certificate and key are both needed"         },
    {"route \"a\" { }",                                                                "route \"a\": no via"                                    },
    {"dkim { expire = true } delivery { expire = 6d }",                                "dkim expire needs"                                      },
    {"\nlisten \"a\" { address = \"nonsense\" }",
     "test.conf:2: address: 'nonsense' is not ADDRESS:PORT"                                                                                     },
    {"listen \"a\" { address = { \"127.0.0.1:25\", \"127.0.0.1\" } }",
     "test.conf:1: address: '127.0.0.1' is not"                                                                                                 },
    {"\n\ndelivery { bind = \"us.example\" }",
     "test.conf:3: bind: 'us.example' is not an IP address"                                                                                     },
    {"delivery { allow_mx = \"10.0.0.0/33\" }",
     "test.conf:1: allow_mx: '10.0.0.0/33' is not a network"                                                                                    },
    {"resolver { forward = \"dns.example\" }",                                         "test.conf:1: forward: 'dns.example' is not"             },
    {"panel { address = \"8025\" }",                                                   "test.conf:1: address: '8025' is not ADDRESS:PORT"       },
    {"route \"a\" { via = \"smart.example:70000\" }",
     "test.conf:1: via: 'smart.example:70000' is not"                                                                                           },
    {"route \"a\" { via = \"smart example\" }",                                        "test.conf:1: via: 'smart example' is not"               },
    {"route \"a\" { via = \"192.0.2.1:0\" }",                                          "test.conf:1: via: '192.0.2.1:0' is not"                 },
    {"hostname = \"two words\"",                                                       "test.conf:1: hostname: 'two words' is not a host name"  },
    {"data_dir = \"here\"",                                                            "test.conf:1: data_dir: 'here' is not a whole path"      },
    {"run_dir = "
     "\"/a234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890\"",                                                   "is not a whole path of 93"                              },
    {"\nsandbox { connect_ports = { \"25\", \"0\" } }",
     "test.conf:2: connect_ports: '0' is not a port"                                                                                            },
    {"sandbox { connect_ports = smtp }",                                               "test.conf:1: connect_ports: 'smtp' is not a port"       },
    {"timezone = \"Europe/Rmoe\"",                                                     "test.conf:1: timezone: 'Europe/Rmoe' is not"            },
    {"timezone = \"../../../etc/passwd\"",                                             "test.conf:1: timezone: '../../../etc/passwd' is not"    },
    {"limits { recipients = -1 }",                                                     "'-1' is not a number"                                   },
    {"delivery { retry = { \"5m\", \"0s\" } }",                                        "'0s' is outside 1s..7d"                                 },
    {"\nhostname = \"a\x1b[2Jb\"",                                                     "test.conf:2: hostname: a control character in the value"},
    {"listen \"a\nb\" { }",                                                            "test.conf:2: listen: a control character in the title"  },
    {"\x1b[2J = 1",                                                                    "test.conf:1: no such option '?[2J'"                     },
    {"hostname = a \"\"",                                                              "test.conf:1: a name or a value is missing"              },
    {"\nroute \"a\" { via = \"h\" password = \"a${b\" }",
     "test.conf:2: the environment is not read"                                                                                                 },
    {"hostname = a\n\"",                                                               "the file ends inside a string, a comment or a section"  },
    {"hostname = a\n'",                                                                "unterminated string"                                    },
    {"listen \"a\" { address = \"[::]:25\"",
     "the file ends inside a string, a comment or a section"                                                                                    },
    {"listen \"a\" { address = \"\" }",                                                "test.conf:1: address: an empty text in a list"          },
    {"hostname = a\n/* and so on",                                                     "the file ends inside a string, a comment or a section"  },
    {"\nroute \"a\" { via = h password = \"a\\0b\" }",
     "test.conf:2: password: a control character in the value"                                                                                  },
    {"route \"a\" { via = h password = \"a\\\\\\000b\" }",
     "test.conf:1: password: a control character in the value"                                                                                  },
    {"route \"a\" { via = h password = \"a\\x00b\" }",
     "test.conf:1: password: a control character in the value"                                                                                  },
    {"route \"a\" { via = h password = \"a\\x0\" }",
     "test.conf:1: password: a control character in the value"                                                                                  },
    {"\nlisten \"a\\0b\" { }",                                                         "test.conf:2: listen: a control character in the title"  },
    {"hostname = \"\\9\"",                                                             "test.conf:1: bad escape sequence"                       },
};

static void a_bad_file_is_refused_with_line_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
        assert_null(parse(bad_files[i].text));
        if (slice_search(buffer_slice(&problem), slice_of(bad_files[i].reason)) < 0)
            fail_msg("%s: got %.*s", bad_files[i].reason, (int)problem.len, problem.data);
    }
}

/* What single values cannot show. */
static void sections_that_do_not_fit_together_are_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"panel { address = \"192.0.2.1:80\" tls = \"none\" }",
         "panel: without TLS only on an address of loopback"                                                                                 },
        {"route \"a\" { }",                                                                    "route \"a\": no via"                         },
        {"dkim { expire = yes }\ndelivery { expire = \"6d\" }",                                "dkim expire needs"                           },
        {"sandbox { connect_ports = { \"465\" } }",                                            "port"                                        },
        {"egress \"a\" { }",                                                                   "egress \"a\": one IPv4 address, and one IPv6"},
        {"pool \"p\" { }",                                                                     "pool \"p\": no egress"                       },
        {"egress \"a\" { address = \"192.0.2.1\" }\npool \"p\" { egress = { \"a\", \"b\" } }",
         "pool \"p\": there is no egress \"b\""                                                                                              },
        {"postmaster = a@b..example",                                                          "is not an address such as"                   },
        {"egress \"a\" { address = \"192.0.2.1\" warm_up = \"3,1\" }",                         "is not yes, no, or"                          },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (parse(cases[i].text))
            fail_msg("taken: %s", cases[i].text);
        if (slice_search(buffer_slice(&problem), slice_of(cases[i].reason)) < 0)
            fail_msg("%s: got %.*s", cases[i].reason, (int)problem.len, problem.data);
    }
}

/* libconfuse's lexer is global and would go on where the last file left it. */
static void a_file_that_ends_in_a_string_spoils_no_later_one(void **state)
{
    static const char *const broken[] = {
        "hostname = a\n\"",   "hostname = \"a", "hostname = 'a", "hostname = a /*",
        "hostname = \"\\9\"", "listen \"a",     "log {"};

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct settings *settings;

        assert_null(parse(broken[i]));
        settings = parse("hostname = relay.example # fine\n");
        assert_non_null(settings);
        assert_string_equal(settings->hostname, "relay.example");
        settings_unref(settings);
    }
}

static void zeros_that_are_no_nul_stay(void **state)
{
    static const struct {
        const char *written, *meant;
    } cases[] = {
        {"'a\\0b'",         "a\\0b" },
        {"\"a\\\\0b\"",     "a\\0b" },
        {"\"a\\x40\\100\"", "a@@"   },
        {"\"a0x00\"",       "a0x00" },
        {"'a\\x00' # \\0",  "a\\x00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[100];
        struct settings *settings;

        snprintf(text, sizeof(text), "route \"*\" { via = h password = %s\n}", cases[i].written);
        settings = parse(text);
        assert_non_null(settings);
        assert_string_equal(settings->route[0].password, cases[i].meant);
        settings_unref(settings);
    }
}

static void a_dollar_can_be_written(void **state)
{
    struct settings *settings = parse("route \"*\" { via = h password = \"a\\${b}$\" }");

    (void)state;
    assert_non_null(settings);
    assert_string_equal(settings->route[0].password, "a${b}$");
    settings_unref(settings);
}

/* In memory: /proc/self/fd/N is its path. */
static int file_of(struct slice text, char path[64])
{
    int fd = memfd_create("settings", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.data, text.len), text.len);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void a_file_is_loaded_with_its_text(void **state)
{
    struct buffer text = BUFFER_INIT;
    struct settings *settings;
    char path[64];
    int fd = file_of(SLICE_LITERAL("hostname = relay.example\n"), path);

    (void)state;
    buffer_clear(&problem);
    assert_int_equal(config_load(&settings, path, &text, &problem), 0);
    assert_string_equal(settings->hostname, "relay.example");
    assert_slice_is(buffer_slice(&text), "hostname = relay.example\n");
    settings_unref(settings);
    buffer_fini(&text);
    close(fd);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    enum { OVER = 1024 * 1024 + 1 };
    struct buffer text = BUFFER_INIT;
    struct settings *settings = NULL;
    char *blanks = malloc(OVER), path[64];
    int fd;

    (void)state;
    assert_non_null(memset(blanks, ' ', OVER));
    buffer_clear(&problem);
    assert_int_equal(config_load(&settings, "/nowhere/staffetta.conf", &text, &problem), -EINVAL);
    assert_slice_is(buffer_slice(&problem), "/nowhere/staffetta.conf: No such file or directory\n");
    fd = file_of(slice_from(blanks, OVER), path);
    buffer_clear(&problem);
    assert_int_equal(config_load(&settings, path, &text, &problem), -EINVAL);
    assert_true(slice_search(buffer_slice(&problem), SLICE_LITERAL(": over 1 MiB\n")) > 0);
    close(fd);
    fd = file_of(SLICE_LITERAL("hostname = a\0b\n"), path);
    buffer_clear(&problem);
    assert_int_equal(config_load(&settings, path, &text, &problem), -EINVAL);
    assert_true(slice_search(buffer_slice(&problem), SLICE_LITERAL("contains a NUL byte\n")) > 0);
    close(fd);
    assert_null(settings);
    buffer_fini(&text);
    free(blanks);
}

static void every_form_of_a_next_hop_is_taken(void **state)
{
    static const char *const forms[] = {"192.0.2.1",     "192.0.2.1:587", "[2001:db8::1]:587",
                                        "[2001:db8::1]", "smart.example", "smart_1.example:465"};

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char text[128];
        struct settings *settings;

        snprintf(text, sizeof(text), "route \"*\" { via = \"%s\" }", forms[i]);
        settings = parse(text);
        if (!settings)
            fail_msg("%s: got %.*s", forms[i], (int)problem.len, problem.data);
        settings_unref(settings);
    }
}

static void units_are_exact(void **state)
{
    int64_t value;

    (void)state;
    assert_true(config_parse_span("90", &value) && value == 90000);
    assert_true(config_parse_span("2h", &value) && value == 7200000);
    assert_false(config_parse_span("2H", &value));
    assert_false(config_parse_span("", &value));
    assert_false(config_parse_span("99999999999999999d", &value));
    assert_true(config_parse_size("50MB", &value) && value == 50000000);
    assert_true(config_parse_size("010", &value) && value == 10);
}

struct seen {
    unsigned n, n_changed;
    bool shows_password;
};

static void look(void *owner, const struct setting_view *view)
{
    struct seen *seen = owner;

    seen->n++;
    seen->n_changed += view->is_changed;
    if (strstr(view->value, "hunter2"))
        seen->shows_password = true;
}

static void a_walk_shows_every_setting_and_no_secret(void **state)
{
    struct settings *settings =
        parse("route \"*\" { via = \"smart.example:587\" user = \"u\" password = \"hunter2\" }");
    struct seen seen = {0};

    (void)state;
    settings_walk(settings, look, &seen);
    assert_true(seen.n > 40);
    assert_int_equal(seen.n_changed, 3);
    assert_false(seen.shows_password);
    settings_unref(settings);
}

static void a_reload_names_what_needs_a_restart(void **state)
{
    struct settings *a = parse("limits { recipients = 200 }");
    struct settings *b = parse("limits { recipients = 300 }");
    struct settings *c = parse("spool_dir = \"/elsewhere\"");

    (void)state;
    assert_null(settings_need_restart(a, b));
    assert_string_equal(settings_need_restart(a, c), "spool_dir");
    settings_unref(a);
    settings_unref(b);
    settings_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_means_the_defaults),
        cmocka_unit_test(the_file_of_the_manual_parses_whole),
        cmocka_unit_test(later_values_of_a_repeated_untitled_section_win),
        cmocka_unit_test(a_bad_file_is_refused_with_line_and_reason),
        cmocka_unit_test(sections_that_do_not_fit_together_are_refused),
        cmocka_unit_test(a_file_that_ends_in_a_string_spoils_no_later_one),
        cmocka_unit_test(zeros_that_are_no_nul_stay),
        cmocka_unit_test(a_dollar_can_be_written),
        cmocka_unit_test(a_file_is_loaded_with_its_text),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(every_form_of_a_next_hop_is_taken),
        cmocka_unit_test(units_are_exact),
        cmocka_unit_test(a_walk_shows_every_setting_and_no_secret),
        cmocka_unit_test(a_reload_names_what_needs_a_restart),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_fini(&problem);
    return n_failed;
}
