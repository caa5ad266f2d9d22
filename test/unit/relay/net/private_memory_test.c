#include "test/support/test_support.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/resource.h>

#include "relay/net/private_memory.h"

/* The kernel's words on the pages where at lies: "VmFlags: rd wr … dd". */
static void flags_of(const void *at, char out[256])
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    uintptr_t begin, end;
    bool is_there = false;
    char line[256];

    assert_non_null(smaps);
    while (fgets(line, sizeof(line), smaps)) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
            is_there = begin <= (uintptr_t)at && (uintptr_t)at < end;
        else if (is_there && strncmp(line, "VmFlags:", 8) == 0)
            break;
    }
    fclose(smaps);
    assert_true(is_there);
    snprintf(out, 256, "%s", line);
}

static void keys_lie_where_no_dump_and_no_swap_reaches(void **state)
{
    struct rlimit limit;
    char flags[256];
    void *key;

    (void)state;
    private_memory_start(PRIVATE_MEMORY_RELAY);
    key = OPENSSL_secure_malloc(100);
    assert_non_null(key);
    assert_true(CRYPTO_secure_allocated(key));
    flags_of(key, flags);
    assert_non_null(strstr(flags, " dd"));
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (limit.rlim_cur > PRIVATE_MEMORY_RELAY)
        assert_non_null(strstr(flags, " lo"));
    OPENSSL_secure_clear_free(key, 100);
    assert_true(CRYPTO_secure_malloc_done());
}

static void swap_matters_only_where_there_is_some(void **state)
{
    (void)state;
    assert_false(private_memory_would_be_swapped(0, 0));
    assert_true(private_memory_would_be_swapped(8 << 20, 4096));
    assert_false(private_memory_would_be_swapped(PRIVATE_MEMORY_LIMIT, 4096));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_lie_where_no_dump_and_no_swap_reaches),
        cmocka_unit_test(swap_matters_only_where_there_is_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
