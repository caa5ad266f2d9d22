#include "relay/spool/segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* ---- opening ---- */

static bool id_of_name(const char *name, uint32_t *id)
{
    char again[SEGMENT_NAME_SIZE];
    unsigned long value = strtoul(name, NULL, 16);

    if (value == 0 || value >= SEGMENTS_MAX)
        return false;
    *id = (uint32_t)value;
    segment_name(*id, again);
    return strcmp(name, again) == 0;
}

static int open_one(struct segments *set, uint32_t id)
{
    struct segment *segment;
    int error = segment_open(&segment, set->io, set->dir_fd, id);

    if (error)
        return error;
    atomic_store(&set->slots[id], segment);
    set->n_files++;
    if (id >= set->next_id)
        set->next_id = id + 1;
    return 0;
}

static int open_all(struct segments *set)
{
    int list_fd = openat(set->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = list_fd < 0 ? NULL : fdopendir(list_fd);
    const struct dirent *entry;
    int error = 0;
    uint32_t id;

    if (!folder) {
        error = FAULT(-errno);
        close_fd_cleanup(&list_fd);
        return error;
    }
    while (!error && (entry = readdir(folder))) {
        if (id_of_name(entry->d_name, &id))
            error = open_one(set, id);
    }
    closedir(folder);
    return error;
}

int segments_init(struct segments *set, const struct io *io, int dir_fd, uint64_t segment_bytes)
{
    *set =
        (struct segments){.io = io, .dir_fd = dir_fd, .segment_bytes = segment_bytes, .next_id = 1};
    set->slots = calloc(SEGMENTS_MAX, sizeof(*set->slots));
    if (!set->slots)
        return FAULT(-ENOMEM);
    return open_all(set);
}

static void drop_list(struct segment *segment)
{
    while (segment->first) {
        struct stored *stored = segment->first;

        segment->first = stored->next_in_segment;
        stored_unref(stored);
    }
}

void segments_forget(struct segments *set)
{
    for (uint32_t id = 1; id < set->next_id; id++) {
        struct segment *segment = segments_find(set, id);

        if (!segment)
            continue;
        drop_list(segment);
        segment->n_live = segment->n_dead = 0;
        segment->live_bytes = 0;
    }
}

void segments_fini(struct segments *set)
{
    for (uint32_t id = 0; set->slots && id < set->next_id; id++) {
        struct segment *segment = atomic_load(&set->slots[id]);

        if (segment)
            drop_list(segment);
        segment_free(segment);
    }
    free(set->slots);
    set->slots = NULL;
    close_fd_cleanup(&set->dir_fd);
    set->dir_fd = -1;
}

static void remove_file(struct segments *set, struct segment *segment)
{
    char name[SEGMENT_NAME_SIZE];

    if (segment->use == SEGMENT_FREE)
        set->n_free--;
    segment_name(segment->id, name);
    if (set->io->remove(set->dir_fd, name) == 0)
        set->is_folder_dirty = true;
    segment_close(segment);
    segment->use = SEGMENT_GONE;
    segment->generation = 0;
    segment->has_damage = false;
    set->n_files--;
}

void segments_settle(struct segments *set)
{
    for (uint32_t id = 1; id < set->next_id; id++) {
        struct segment *segment = segments_find(set, id);

        if (!segment)
            continue;
        segment->use = segment->n_live ? SEGMENT_SEALED : SEGMENT_FREE;
        if (segment->use == SEGMENT_SEALED)
            continue;
        set->n_free++;
        /* Another size was set, or a crash cut it short while it was made. */
        if (segment->size != set->segment_bytes)
            remove_file(set, segment);
    }
}

/* ---- the active segment ---- */

static struct segment *find_free(const struct segments *set)
{
    for (uint32_t id = 1; set->n_free && id < set->next_id; id++) {
        struct segment *segment = segments_find(set, id);

        if (segment && segment->use == SEGMENT_FREE)
            return segment;
    }
    return NULL;
}

/* The lowest id without a file. */
static uint32_t find_id(struct segments *set)
{
    for (uint32_t id = 1; id < set->next_id; id++) {
        const struct segment *segment = segments_find(set, id);

        if ((!segment || segment->use == SEGMENT_GONE) && id != set->spare_id)
            return id;
    }
    return set->next_id < SEGMENTS_MAX ? set->next_id++ : 0;
}

static void install(struct segments *set, struct segment *fresh)
{
    struct segment *old = segments_find(set, fresh->id);

    if (old) { /* late readers know the old struct: it stays and takes over the files */
        old->fd = fresh->fd;
        old->read_fd = fresh->read_fd;
        old->size = fresh->size;
        fresh->fd = fresh->read_fd = -1;
        segment_free(fresh);
        fresh = old;
    } else {
        atomic_store(&set->slots[fresh->id], fresh);
    }
    fresh->use = SEGMENT_FREE;
    if (fresh->id >= set->next_id)
        set->next_id = fresh->id + 1;
    set->n_files++;
    set->n_free++;
    set->is_folder_dirty = true;
}

static int make_free(struct segments *set)
{
    uint32_t id = find_id(set);
    struct segment *segment;
    int error;

    if (id == 0)
        return FAULT(-ENOSPC);
    error = segment_create(&segment, set->io, set->dir_fd, id, set->segment_bytes, false);
    if (error)
        return error;
    install(set, segment);
    return 0;
}

static void abandon(struct segments *set, struct segment *segment)
{
    segment->use = SEGMENT_ABANDONED;
    set->has_abandoned = true;
    segment->is_dirty = false;
    if (set->active == segment)
        set->active = NULL;
}

static int activate_next(struct segments *set)
{
    struct segment *segment = find_free(set);
    int error = 0;

    if (!segment)
        error = make_free(set);
    if (error)
        return error;
    segment = find_free(set);
    set->n_free--;
    segment->use = SEGMENT_ACTIVE;
    segment->has_damage = false;
    error = segment_start(segment, set->io);
    if (error) {
        abandon(set, segment);
        return error;
    }
    if (set->active)
        set->active->use = SEGMENT_SEALED;
    set->active = segment;
    return 0;
}

static int append_to_active(struct segments *set, struct record *record, struct iovec *pieces,
                            int n_pieces)
{
    int result;

    if (!set->active)
        return SEGMENT_FULL;
    result = segment_append(set->active, set->io, record, pieces, n_pieces);
    /* Full is no defect of the file; anything else is. */
    if (result < 0 && result != -ENOSPC)
        abandon(set, set->active);
    return result;
}

int segments_append(struct segments *set, struct record *record, struct iovec *pieces, int n_pieces)
{
    int result;

    if (record_bytes(record) > set->segment_bytes - SEGMENT_HEADER_BYTES)
        return FAULT(-EFBIG);
    result = append_to_active(set, record, pieces, n_pieces);
    if (result != SEGMENT_FULL)
        return result;
    result = activate_next(set);
    return result ? result : append_to_active(set, record, pieces, n_pieces);
}

unsigned segments_sync(struct segments *set, int *folder_error)
{
    unsigned n_synced = 0;

    for (uint32_t id = 1; id < set->next_id; id++) {
        struct segment *segment = segments_find(set, id);

        if (!segment || !segment->is_dirty)
            continue;
        n_synced++;
        if (segment_sync(segment, set->io))
            abandon(set, segment);
    }
    if (set->is_folder_dirty) {
        int error = set->io->sync(set->dir_fd);

        set->is_folder_dirty = error != 0;
        if (error)
            *folder_error = FAULT(error);
    }
    return n_synced;
}

bool segments_is_sound(const struct segments *set, uint64_t place)
{
    const struct segment *segment = segments_find(set, place_segment(place));

    return segment && segment->use != SEGMENT_ABANDONED;
}

/* ---- used again ---- */

void segments_recycle(struct segments *set)
{
    for (uint32_t id = 1; id < set->next_id; id++) {
        struct segment *segment = segments_find(set, id);

        if (!segment || segment->n_live || segment->first ||
            (segment->use != SEGMENT_SEALED && segment->use != SEGMENT_ABANDONED) ||
            atomic_load(&segment->n_leases))
            continue;
        if (segment->use == SEGMENT_SEALED && set->n_free < SEGMENTS_KEEP_FREE &&
            segment->size == set->segment_bytes) {
            segment->use = SEGMENT_FREE;
            set->n_free++;
        } else {
            remove_file(set, segment);
        }
    }
}

uint32_t segments_reserve_spare(struct segments *set)
{
    if (set->n_free || set->spare_id || !set->active || set->active->tail < set->segment_bytes / 2)
        return 0;
    set->spare_id = find_id(set);
    return set->spare_id;
}

void segments_add_spare(struct segments *set, struct segment *segment)
{
    set->spare_id = 0;
    install(set, segment);
}

void segments_return_spare(struct segments *set)
{
    set->spare_id = 0;
}
