#include "policy/receiver_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "relay/base/file.h"

static int append_file(const char *path, struct buffer *bytes, struct buffer *problem)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    int error = fd < 0 ? -errno : file_read_all(fd, DATA_MAX_BYTES, &text);

    if (error < 0) {
        buffer_printf(problem, "%s: %s\n", path, error == -EFBIG ? "over 1 MiB" : strerror(-error));
        return -EINVAL;
    }
    /* A NUL behind each, for whoever prints the path. */
    buffer_append_counted(bytes, slice_from(path, strlen(path) + 1));
    buffer_append_counted(bytes, buffer_slice(&text));
    return 0;
}

int receiver_files_read(const char *const paths[N_RECEIVER_FILES], struct buffer *bytes,
                        struct buffer *problem)
{
    int error = 0;

    for (int i = 0; i < N_RECEIVER_FILES; i++) {
        if (*paths[i]) {
            if (append_file(paths[i], bytes, problem) < 0)
                error = -EINVAL;
            continue;
        }
        buffer_append_counted(bytes, slice_of(""));
        buffer_append_counted(bytes, slice_of(""));
    }
    return error < 0 ? error : buffer_error(bytes);
}

bool receiver_files_take(struct slice bytes, struct data_file files[N_RECEIVER_FILES])
{
    struct reader reader = {.rest = bytes};

    /* Nothing at all: all are built in. */
    for (int i = 0; i < N_RECEIVER_FILES; i++) {
        struct slice path = reader_counted(&reader), text = reader_counted(&reader);

        files[i] = (struct data_file){
            NULL, {NULL, 0}
        };
        if (path.len == 0)
            continue;
        if (path.data[path.len - 1] != '\0')
            return false;
        files[i] = (struct data_file){path.data, text.data ? text : slice_of("")};
    }
    return bytes.len == 0 || !reader.failed;
}
