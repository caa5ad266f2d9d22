#include "relay/base/crc32c.h"

#include <pthread.h>
#if defined(__x86_64__)
#include <wmmintrin.h>
#endif

/* Each CRC instruction waits for the one before, so three stretches are summed side by side. */
enum { STRETCH = 512 };

#define POLYNOMIAL 0x82f63b78U /* its bits reversed */

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
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        table[i] = crc;
    }
}

#if defined(__x86_64__)
/* What carries a sum over so many stretches of zeros. */
static uint32_t over_one, over_two;

/* x^n modulo the polynomial, bits reversed. */
static uint32_t power_of_x(unsigned n)
{
    uint32_t power = 1U << 31;

    while (n--)
        power = (power >> 1) ^ (power & 1 ? POLYNOMIAL : 0);
    return power;
}

__attribute__((target("sse4.2"))) static uint64_t sum(uint64_t crc, const char *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return __builtin_ia32_crc32di(crc, word);
}

/* The product has 63 bits and the instruction multiplies by x^32 besides, hence the 33 in choose().
 */
__attribute__((target("sse4.2,pclmul"))) static uint64_t carry(uint64_t crc, uint32_t over)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
                                           _mm_cvtsi64_si128((long long)over), 0);

    return __builtin_ia32_crc32di(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t sum_stretches(uint64_t crc,
                                                                       const char *data)
{
    uint64_t second = 0, third = 0;

    for (size_t i = 0; i < STRETCH; i += sizeof(uint64_t)) {
        crc = sum(crc, data + i);
        second = sum(second, data + STRETCH + i);
        third = sum(third, data + 2 * (size_t)STRETCH + i);
    }
    return carry(crc, over_two) ^ carry(second, over_one) ^ third;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t update_by_instruction(uint32_t crc,
                                                                               struct slice bytes)
{
    uint64_t wide = crc;

    for (; bytes.len >= 3 * (size_t)STRETCH; bytes = slice_skip(bytes, 3 * (size_t)STRETCH))
        wide = sum_stretches(wide, bytes.data);
    for (; bytes.len >= sizeof(uint64_t); bytes = slice_skip(bytes, sizeof(uint64_t)))
        wide = sum(wide, bytes.data);
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
    over_one = power_of_x(8 * STRETCH - 33);
    over_two = power_of_x(16 * STRETCH - 33);
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        update = update_by_instruction;
#endif
}

uint32_t crc32c(uint32_t crc, struct slice bytes)
{
    pthread_once(&chosen, choose);
    return ~update(~crc, bytes);
}
