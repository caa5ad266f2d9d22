#include "letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEADER_BYTES = 620, LINE_BYTES = 72 };

static const char *const words[] = {
    "offer", "this",  "week", "<p>",   "</p>", "garden", "chairs",   "are",    "half", "price",
    "until", "order", "now",  "<br/>", "free", "return", "within",   "thirty", "days", "summer",
    "blue",  "and",   "red",  "sizes", "from", "small",  "delivery", "by",     "post", "news"};

/* The same text on every machine: a fixed linear congruence chooses the words. */
static size_t add_line(char *line, uint32_t *seed)
{
    size_t n = 0;

    while (n < LINE_BYTES - 10) {
        const char *word;
        *seed = *seed * 1664525U + 1013904223U;
        word = words[(*seed >> 16) % (sizeof(words) / sizeof(*words))];
        if (n > 0)
            line[n++] = ' ';
        memcpy(line + n, word, strlen(word));
        n += strlen(word);
    }
    memcpy(line + n, "\r\n", 2);
    return n + 2;
}

void letters_init(struct letters *letters, const char *from_domain, size_t message_bytes)
{
    const size_t wanted = message_bytes > HEADER_BYTES ? message_bytes - HEADER_BYTES : 1;
    const time_t now = time(NULL);
    struct tm parts;
    uint32_t seed = 7;

    letters->from_domain = from_domain;
    strftime(letters->date, sizeof(letters->date), "%a, %d %b %Y %H:%M:%S +0000",
             gmtime_r(&now, &parts));
    letters->body = malloc(wanted + 2 * (size_t)LINE_BYTES);
    if (!letters->body)
        die("memory");
    letters->body_bytes = 0;
    while (letters->body_bytes < wanted)
        letters->body_bytes += add_line(letters->body + letters->body_bytes, &seed);
}

void letter_add(const struct letters *letters, struct bytes *out, uint64_t id,
                const char *recipient)
{
    bytes_printf(out,
                 "From: Shop news <news@%s>\r\nTo: <%s>\r\nSubject: Offers of week %" PRIu64
                 " for the garden and the house\r\n"
                 "Date: %s\r\nMessage-ID: <%016" PRIx64 "@%s>\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n",
                 letters->from_domain, recipient, id, letters->date, id, letters->from_domain);
    bytes_printf(out,
                 "List-Unsubscribe: <https://%s/unsubscribe/%016" PRIx64 ">\r\n"
                 "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" LETTER_ID_FIELD
                 "%016" PRIx64 "\r\n\r\n",
                 letters->from_domain, id, id);
    bytes_add(out, letters->body, letters->body_bytes);
}
