/* Runs a fuzz target over the files of a folder, and over every beginning of the short ones that a
 * person wrote: those have names, what libFuzzer found is called by its hash. */
#include "test/fuzz/fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <string.h>

enum { SHORT_FILE = 512 };

/* Memory of exactly size bytes: a sanitizer sees the octet beyond. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    PROMISE(copy);
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static bool is_hash(const char *name)
{
    return strlen(name) == 40 && strspn(name, "0123456789abcdef") == 40;
}

static size_t replay(const char *folder, const char *name, bool is_cut)
{
    static uint8_t data[1 << 20];
    char path[4096];
    FILE *file;
    size_t size;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rbe");
    PROMISE(file);
    size = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    for (size_t len = is_cut && size <= SHORT_FILE && !is_hash(name) ? 0 : size; len <= size; len++)
        run(data, len);
    return 1;
}

int main(int argc, char **argv)
{
    size_t n_files = 0;
    const struct dirent *entry;
    DIR *folder = argc == 2 || argc == 3 ? opendir(argv[1]) : NULL;

    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER [whole]\n", argv[0]);
        return 64;
    }
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            n_files += replay(argv[1], entry->d_name, argc == 2);
    (void)closedir(folder);
    printf("%zu files replayed\n", n_files);
    return n_files ? 0 : 1;
}
