/* main() for fuzz targets outside the preset fuzz: runs the files of the folders (or the files)
 * named on the command line through the target, as libFuzzer would with -runs=0. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FILE_BYTES = 1 << 20 };
static unsigned n_files;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "re");
    uint8_t *data = malloc(MAX_FILE_BYTES);
    size_t size;

    if (!file || !data) {
        fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    size = fread(data, 1, MAX_FILE_BYTES, file);
    fclose(file);
    /* Exactly as large as the input, so that ASan sees an over-read. */
    data = realloc(data, size ? size : 1);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    n_files++;
    return 0;
}

static int replay_folder(const char *path, DIR *folder)
{
    int status = 0;

    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        status |= replay_file(name);
    }
    closedir(folder);
    return status;
}

int main(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);

        status |= folder ? replay_folder(argv[i], folder) : replay_file(argv[i]);
    }
    printf("%u inputs replayed\n", n_files);
    return status || !n_files;
}
