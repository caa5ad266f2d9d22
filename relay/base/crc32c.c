#include "relay/base/crc32c.h"

#include <pthread.h>

static uint32_t table[256];
static uint32_t (*update)(uint32_t crc, struct slice bytes);
static pthread_once_t chosen = PTHREAD_ONCE_INIT;

static uint32_t update_by_table(uint32_t crc, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        crc = table[(crc ^ (uint8_t)bytes.data[i]) & 0xff] ^ (crc >> 8);
    return crc;
}

static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0); /* the polynomial, bits reversed */
        table[i] = crc;
    }
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t update_by_instruction(uint32_t crc,
                                                                        struct slice bytes)
{
    uint64_t wide = crc;

    for (; bytes.len >= sizeof(uint64_t); bytes = slice_skip(bytes, sizeof(uint64_t))) {
        uint64_t word;

        memcpy(&word, bytes.data, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (size_t i = 0; i < bytes.len; i++)
        crc = __builtin_ia32_crc32qi(crc, (uint8_t)bytes.data[i]);
    return crc;
}
#endif

static void choose(void)
{
    fill_table();
    update = update_by_table;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        update = update_by_instruction;
#endif
}

uint32_t crc32c(uint32_t crc, struct slice bytes)
{
    pthread_once(&chosen, choose);
    return ~update(~crc, bytes);
}
