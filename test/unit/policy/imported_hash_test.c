/* The hashes were made by other programs: openssl passwd, htpasswd, crypt(3) by Perl and Python,
 * libargon2, Python's hashlib; the password is always the same. */
#include "test/support/test_support.h"

#include <stdio.h>

#include "policy/imported_hash.h"
#include "relay/base/secret.h"

static const struct slice right = SLICE_LITERAL("correct horse battery");

static const char *const hashes[] = {
    "$1$Qm3sW9aZ$oZYIC8/d766i6imsnUDqX0",
    "$5$rM5eKp0vXw2Lh8Ty$pkXVFFzw8irQjZHAOZkOjFxE8El4eky0MBCvIHAPv26",
    "$6$uG4nB7dYc1Jf6Rk9$N7Bql1o/vxIwZ0xkBxfVJZYS3VHlugX2RQ4PdTv8hHFwT8g502wLhFDz/"
    "6AoIdKIVUo7vYAGsWBOWnT2MjQ5R.",
    "$6$rounds=10000$saltstringsaltst$uE6EVu7vNHgz2cavHnoXwlGGRr0Xug36WibfKTPzfCJAm0e121gunw4cUG/"
    "50IgcqQyFT.Huk5HZcDVlUSH0t0",
    "$5$rounds=9999$saltstringsaltst$rMewLyjiP5drzTw8vTjdTcANDHRRqxI1LkkeXxD.8F3",
    "$2y$05$dG52AIQWp.SIwqOF.MU5ze4NuK/K7O/Oz7am9QwRVEu8zr0gYYSf.",
    "$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.",
    "$2a$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.",
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2",
    "$argon2id$v=19$m=8192,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$UhTm/0kij/H7YJSut6/dJoHM0XjxtImD4+u/"
    "v7i6kbo",
    "$argon2id$v=19$m=8192,t=3,p=4$c2l4dGVlbmJ5dGVzYWx0IQ$DP05SNwRdtQY9vKQa0oFI6TO4GWgj14egNn++"
    "9T1Y7A",
    "$argon2i$v=19$m=8192,t=3,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$Ax9iusstmPqI4I12IzQMhCCDJOIiK+gXwysc3+"
    "kkaRU",
    "{SHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=",
    "{SHA1}mN7MYuzjmaIu0w1JDvMzvn/ec4U=",
    "{SHA256}kCjqDRXeyqNbLaIcApCvOxpboKMKWRkG+JtQdOIJ6nI=",
    "{SHA512}zvYeTk7ae6ii/qoSBhf896UTrZIEQjsl4kO30/VW+ShT6VsVatr/"
    "3Zon0OUHNq1qa7zFDOipvTUWL315nomlIQ==",
    "{SSHA}vDt9+uSu86y1QvH2UGh9L06Vi/kBc2FsdHNhbHT/",
    "{SSHA256}MufHDPeTQDI/HOSKsVSbKl+cjB/sxqHyNb05Em/waSkBc2FsdHNhbHT/",
    "{SSHA512}/MtuRAuLv9cA12rdBTz6cQeBiEr25Tl+nJlJoMXtujeTI4z3eUJ/TMV6TabG/"
    "lchKZFMc8vVtBIZlGC2Ko1vrQFzYWx0c2FsdP8=",
    "{SHA256.HEX}9028ea0d15decaa35b2da21c0290af3b1a5ba0a30a591906f89b5074e209ea72",
    "{ssha.hex}bc3b7dfae4aef3acb542f1f650687d2f4e958bf90173616c7473616c74ff",
    "{SHA512.b64}zvYeTk7ae6ii/qoSBhf896UTrZIEQjsl4kO30/VW+ShT6VsVatr/"
    "3Zon0OUHNq1qa7zFDOipvTUWL315nomlIQ==",
    "{PBKDF2}$1$MbQGzVZ4OxwX$5000$0ff1af43a8bde1592193add85c42612dcaecab19",
    "{MD5-CRYPT}$1$Qm3sW9aZ$oZYIC8/d766i6imsnUDqX0",
    "{SHA256-CRYPT}$5$rM5eKp0vXw2Lh8Ty$pkXVFFzw8irQjZHAOZkOjFxE8El4eky0MBCvIHAPv26",
    "{SHA512-CRYPT}$6$uG4nB7dYc1Jf6Rk9$N7Bql1o/vxIwZ0xkBxfVJZYS3VHlugX2RQ4PdTv8hHFwT8g502wLhFDz/"
    "6AoIdKIVUo7vYAGsWBOWnT2MjQ5R.",
    "{BLF-CRYPT}$2y$05$dG52AIQWp.SIwqOF.MU5ze4NuK/K7O/Oz7am9QwRVEu8zr0gYYSf.",
    "{CRYPT}$y$j9T$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2",
    "{ARGON2ID}$argon2id$v=19$m=8192,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$UhTm/0kij/H7YJSut6/"
    "dJoHM0XjxtImD4+u/v7i6kbo",
    "{ARGON2I}$argon2i$v=19$m=8192,t=3,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$Ax9iusstmPqI4I12IzQMhCCDJOIiK+"
    "gXwysc3+kkaRU",
};
enum { N_HASHES = sizeof(hashes) / sizeof(hashes[0]) };

static void the_right_password_fits_every_scheme(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HASHES; i++) {
        const char *refusal = imported_hash_refusal(slice_of(hashes[i]));

        if (refusal || !imported_hash_verify(slice_of(hashes[i]), right))
            fail_msg("%s: %s", hashes[i], refusal ? refusal : "does not verify");
    }
}

static void a_wrong_password_fits_none(void **state)
{
    static const char *const wrong[] = {"correct horse batterY", "correct horse batter", "",
                                        "correct horse battery "};

    (void)state;
    for (size_t i = 0; i < N_HASHES; i++)
        for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++)
            if (imported_hash_verify(slice_of(hashes[i]), slice_of(wrong[j])))
                fail_msg("\"%s\" fits %s", wrong[j], hashes[i]);
}

static void a_password_does_not_end_at_a_nul(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HASHES; i++)
        assert_false(
            imported_hash_verify(slice_of(hashes[i]), SLICE_LITERAL("correct horse battery\0x")));
}

static void a_hash_cut_anywhere_verifies_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HASHES; i++)
        for (size_t len = 0; len < strlen(hashes[i]); len += 3) {
            struct slice cut = slice_from(hashes[i], len);

            if (!imported_hash_refusal(cut) && imported_hash_verify(cut, right))
                fail_msg("%.*s fits", (int)len, hashes[i]);
        }
}

static void what_cannot_be_kept_is_refused(void **state)
{
    static const struct {
        const char *hash, *sentence_has;
    } cases[] = {
        {"",                                                                                     "kind"     },
        {"secret",                                                                               "kind"     },
        {"abJnggxhB/yWI",                                                                        "kind"     },
        {"$3$$8846f7eaee8fb117ad06bdd830b7586c",                                                 "kind"     },
        {"$7$DU..../....2Q9obwLhin8qvQl6sisAO/$sHayJj/JBdcuD4lJ1AxiwCo9e5XSi8TcINcmyID12i8",
         "kind"                                                                                             },
        {"{PLAIN}secret",                                                                        "kind"     },
        {"{CLEARTEXT}secret",                                                                    "kind"     },
        {"{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",                                          "kind"     },
        {"{CRYPT}abJnggxhB/yWI",                                                                 "malformed"},
        {"{SHA512-CRYPT}$5$salt$hash",                                                           "malformed"},
        {"{SSHA512",                                                                             "malformed"},
        {"{SSHA}mN7MYuzjmaIu0w1JDvMzvn/ec4U=",                                                   "malformed"},
        {"{SHA}vDt9+uSu86y1QvH2UGh9L06Vi/kBc2FsdHNhbHT/",                                        "malformed"},
        {"{SHA256}not base64!!",                                                                 "malformed"},
        {"{SHA256.HEX}9028ea0d15decaa35b2da21c0290af3b1a5ba0a30a591906f89b5074e209ea7",
         "malformed"                                                                                        },
        {"{PBKDF2}$2$salt$5000$0ff1af43a8bde1592193add85c42612dcaecab19",                        "malformed"},
        {"{PBKDF2}$1$salt$0$0ff1af43a8bde1592193add85c42612dcaecab19",                           "malformed"},
        {"{PBKDF2}$1$salt$5000$0ff1",                                                            "malformed"},
        {"{PBKDF2}$1$salt$90000000$0ff1af43a8bde1592193add85c42612dcaecab19",                    "costs"    },
        {"$2y$31$dG52AIQWp.SIwqOF.MU5ze4NuK/K7O/Oz7am9QwRVEu8zr0gYYSf.",                         "costs"    },
        {"$2y$xx$dG52AIQWp.SIwqOF.MU5ze4NuK/K7O/Oz7am9QwRVEu8zr0gYYSf.",                         "malformed"},
        {"$6$rounds=999999999$saltstringsaltst$uE6EVu7vNHgz2cavHnoXwlGGRr0Xug36WibfKTPzfCJA",
         "costs"                                                                                            },
        {"$y$jGT$F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2",            "costs"    },
        {"$y$j9($F5Jx5fExrKuPp53xLKQ..1$YAXMK9Llbqk/FSGbrI16AP6p2zwE4UhuWrJZceAG.p2",            "malformed"},
        {"$argon2id$v=19$m=4194304,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$UhTm/0kij/H7YJSut6/dJoHM0Xjx",
         "costs"                                                                                            },
        {"$argon2id$v=19$m=8192,t=4000,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$UhTm/0kij/H7YJSut6/dJoHM0Xjx",
         "costs"                                                                                            },
        {"$6$salt salt$uE6EVu7vNHgz2cavHnoXwlGGRr0Xug36WibfKTPzfCJAm0e121g",                     "malformed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *refusal = imported_hash_refusal(slice_of(cases[i].hash));

        if (!refusal || !strstr(refusal, cases[i].sentence_has))
            fail_msg("%s: %s", cases[i].hash, refusal ? refusal : "accepted");
        assert_false(imported_hash_verify(slice_of(cases[i].hash), SLICE_LITERAL("secret")));
    }
}

static void only_our_own_kind_is_native(void **state)
{
    char own[PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(password_hash(own, right), 0);
    assert_true(imported_hash_is_native(slice_of(own)));
    assert_true(imported_hash_verify(slice_of(own), right));
    for (size_t i = 0; i < N_HASHES; i++)
        assert_false(imported_hash_is_native(slice_of(hashes[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_fits_every_scheme),
        cmocka_unit_test(a_wrong_password_fits_none),
        cmocka_unit_test(a_password_does_not_end_at_a_nul),
        cmocka_unit_test(a_hash_cut_anywhere_verifies_nothing),
        cmocka_unit_test(what_cannot_be_kept_is_refused),
        cmocka_unit_test(only_our_own_kind_is_native),
    };

    if (secret_start() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
