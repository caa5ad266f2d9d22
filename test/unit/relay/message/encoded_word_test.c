#include "test/support/test_support.h"

#include "relay/message/encoded_word.h"

static const struct {
    const char *value, *text;
} rows[] = {
    {"",                                   ""                          },
    {"Hello, = ?= world",                  "Hello, = ?= world"         },
    {"=?utf-8?B?Q2lhbyDigqw=?=",           "Ciao \xe2\x82\xac"         },
    {"=?UTF-8?q?caff=C3=A8_nero?= Spa",    "caff\xc3\xa8 nero Spa"     },
    {"a =?utf-8?q?b?= \t =?utf-8?q?c?= d", "a bc d"                    },
    {"=?utf-8?q?=E2=82?= =?utf-8?q?=AC?=", "\xe2\x82\xac"              },
    {"=?iso-8859-1?Q?perch=E9?=",          "perch\xc3\xa9"             },
    {"=?ISO-8859-15?Q?10_=A4?=",           "10 \xe2\x82\xac"           },
    {"=?windows-1252?Q?=93so=94?=",        "\xe2\x80\x9cso\xe2\x80\x9d"},
    {"=?utf-8*it?q?s=C3=AC?=",             "s\xc3\xac"                 },
    {"=?koi8-r?B?9MXT1A==?= x",            "=?koi8-r?B?9MXT1A==?= x"   },
    {"=?utf-8?q?=ZZ?=",                    "=?utf-8?q?=ZZ?="           },
    {"=?utf-8?q?=C?=",                     "=?utf-8?q?=C?="            },
    {"=?utf-8?b?A?=",                      "=?utf-8?b?A?="             },
    {"=?utf-8?b?!!!!?=",                   "=?utf-8?b?!!!!?="          },
    {"=?utf-8?x?a?=",                      "=?utf-8?x?a?="             },
    {"=?utf-8?q?two words?=",              "=?utf-8?q?two words?="     },
    {"=?utf-8?q?unfinished",               "=?utf-8?q?unfinished"      },
    {"=?utf-8?q?a?==?utf-8?q?b?=",         "ab"                        },
};

static void words_become_text_and_the_rest_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP(buffer) struct buffer out = BUFFER_INIT;

        encoded_words_decode(slice_of(rows[i].value), &out);
        assert_slice_is(buffer_slice(&out), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_text_and_the_rest_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
