/* CRC-32C (Castagnoli), the checksum of every stored record: SSE 4.2's instruction where the
 * processor has it, a table elsewhere.  Finds damage, not malice.  Thread: any. */
#pragma once

#include "relay/base/slice.h"

/* crc: 0 for the first bytes, else what the bytes before gave: pieces add up to the whole. */
uint32_t crc32c(uint32_t crc, struct slice bytes);
