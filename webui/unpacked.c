#include "webui/unpacked.h"

#include <stdlib.h>

#include "webui/inflate.h"

struct unpacked_file {
    struct list link;
    const struct asset *asset;
    struct buffer text;
};

void unpacked_init(struct unpacked_files *files)
{
    *files = (struct unpacked_files){.n_files = 0};
    list_init(&files->files);
}

void unpacked_fini(struct unpacked_files *files)
{
    LIST_FOR_EACH(link, &files->files)
    {
        struct unpacked_file *file = CONTAINER_OF(link, struct unpacked_file, link);

        list_remove(&file->link);
        buffer_fini(&file->text);
        free(file);
    }
    files->n_files = 0;
}

static struct slice unpack(struct unpacked_files *files, const struct asset *asset)
{
    struct unpacked_file *file = calloc(1, sizeof(*file));

    if (!file)
        return (struct slice){0};
    file->asset = asset;
    file->text = BUFFER_INIT;
    if (inflate_asset(asset, &file->text) < 0) {
        buffer_fini(&file->text);
        free(file);
        return (struct slice){0};
    }
    list_append(&files->files, &file->link);
    files->n_files++;
    return buffer_slice(&file->text);
}

struct slice unpacked_find(struct unpacked_files *files, const struct asset *asset)
{
    LIST_FOR_EACH(link, &files->files)
    {
        const struct unpacked_file *file = CONTAINER_OF(link, struct unpacked_file, link);

        if (file->asset == asset)
            return buffer_slice(&file->text);
    }
    return unpack(files, asset);
}
