#include "board.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "letter.h"
#include "wire.h"

static struct board *board;
static int64_t *taken_ns;

struct board *board_open(const char *path, uint64_t capacity)
{
    const size_t size = BOARD_MESSAGES_AT + capacity * sizeof(int64_t);
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || ftruncate(fd, (off_t)size))
        die(path);
    board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        die(path);
    board->capacity = capacity;
    taken_ns = (int64_t *)(void *)((char *)board + BOARD_MESSAGES_AT);
    close(fd);
    return board;
}

/* Some relays put theirs at the end of the header. */
static void count_signatures(const char *data, const char *end)
{
    static const char signature[] = "DKIM-Signature:";
    const size_t n = sizeof(signature) - 1;

    while ((data = memmem(data, (size_t)(end - data), signature, n)) != NULL) {
        board->signatures++;
        data += n;
    }
}

bool board_find_id(const char *data, size_t n, uint64_t *id)
{
    static const char field[] = "\n" LETTER_ID_FIELD;
    const char *end = memmem(data, n, "\r\n\r\n", 4);
    const char *found = end ? memmem(data, (size_t)(end - data), field, sizeof(field) - 1) : NULL;

    if (!found)
        return false;
    *id = strtoull(found + sizeof(field) - 1, NULL, 16);
    count_signatures(data, end);
    return true;
}

void board_count(const uint64_t *id, unsigned n_recipients, size_t message_bytes)
{
    const int64_t now = now_ns();

    board->recipients += n_recipients;
    board->bytes += message_bytes;
    if (id && *id < board->capacity)
        taken_ns[*id] = now;
    else
        board->unknown++;
    board->last_ns = (uint64_t)now;
    __atomic_store_n(&board->messages, board->messages + 1, __ATOMIC_RELEASE);
}
