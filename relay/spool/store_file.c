/* Which file the rows are in, and how another takes its place: complete and synced first, then
 * named by a pointer file that is itself written beside, synced and renamed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "relay/base/log.h"
#include "relay/spool/store.h"
#include "sql/queue_schema.h"

static const char first_name[] = "queue.db";
static const char pointer_name[] = "queue.current";
static const char pointer_draft[] = "queue.current.new";
static const char complete[] = "complete"; /* fact: the tables hold all there is */

enum { ROWS_PER_COPY = 20000, CACHE_KIB = 65536 };

/* ---- names ---- */

/* queue.db is 1, queue-N.db is N. */
static bool name_to_number(const char *name, unsigned *number)
{
    char again[STORE_NAME_SIZE];

    if (strcmp(name, first_name) == 0) {
        *number = 1;
        return true;
    }
    if (strncmp(name, "queue-", 6) != 0)
        return false;
    *number = (unsigned)strtoul(name + 6, NULL, 10);
    if (*number < 2)
        return false;
    snprintf(again, sizeof(again), "queue-%u.db", *number);
    return strcmp(again, name) == 0;
}

static int read_pointer(int dir_fd, char name[STORE_NAME_SIZE])
{
    CLEANUP(close_fd) int fd = openat(dir_fd, pointer_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n_read;
    unsigned number;

    if (fd < 0 && errno == ENOENT) {
        memcpy(name, first_name, sizeof(first_name));
        return 0;
    }
    if (fd < 0)
        return FAULT(-errno);
    n_read = read(fd, name, STORE_NAME_SIZE - 1);
    if (n_read < 0)
        return FAULT(-errno);
    name[n_read] = '\0';
    name[strcspn(name, "\n")] = '\0';
    return name_to_number(name, &number) ? 0 : FAULT(-EBADMSG);
}

int store_current_name(const char *dir, char out[STORE_NAME_SIZE])
{
    CLEANUP(close_fd) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return FAULT(-errno);
    return read_pointer(dir_fd, out);
}

static int write_pointer(const struct store *store, const char *name)
{
    char text[STORE_NAME_SIZE + 1];
    struct iovec piece = {text, (size_t)snprintf(text, sizeof(text), "%s\n", name)};
    CLEANUP(close_fd)
    int fd = store->io->open(store->dir_fd, pointer_draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int error;

    if (fd < 0)
        return FAULT(fd);
    error = io_write_all(store->io, fd, &piece, 1, 0);
    if (!error)
        error = store->io->sync(fd);
    if (!error)
        error = store->io->rename(store->dir_fd, pointer_draft, pointer_name);
    if (!error)
        error = store->io->sync(store->dir_fd);
    return error ? FAULT(error) : 0;
}

/* ---- opening ---- */

static int open_named(struct store *store, enum db_mode mode)
{
    const struct db_settings settings = {
        .cache_kib = CACHE_KIB, .vfs = store->vfs, .is_manual = true};
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", store->dir, store->name) >= (int)sizeof(path))
        return FAULT(-ENAMETOOLONG);
    return db_open(&store->db, path, &queue_schema, mode, &settings);
}

int store_recall(struct store *store, const char *fact, int64_t *value)
{
    struct statement *recall = db_statement(store->db, QUEUE_RECALL);
    int result;

    bind_text(recall, 1, slice_of(fact));
    result = statement_step(recall);
    if (result == STATEMENT_ROW)
        *value = column_number(recall, 0);
    statement_reset(recall);
    return result == STATEMENT_DONE ? -ENOENT : result < 0 ? result : 0;
}

int store_remember(struct store *store, const char *fact, int64_t value)
{
    struct statement *remember = db_statement(store->db, QUEUE_REMEMBER);

    bind_text(remember, 1, slice_of(fact));
    bind_number(remember, 2, value);
    return statement_run(remember);
}

int store_set_complete(struct store *store)
{
    return store_remember(store, complete, 1);
}

int store_open(struct store *store, const struct io *io, const char *dir, int dir_fd,
               const char *vfs, bool *is_new)
{
    int64_t ignored;
    int error;

    *store = (struct store){.io = io, .dir = dir, .dir_fd = dir_fd, .vfs = vfs};
    error = read_pointer(dir_fd, store->name);
    if (!error)
        error = open_named(store, DB_WRITE);
    /* SQLite syncs the folder for its log, not for the database's own name. */
    if (!error)
        error = io->sync(dir_fd);
    if (!error) {
        error = store_recall(store, complete, &ignored);
        *is_new = error == -ENOENT;
        if (*is_new)
            error = 0;
    }
    if (error)
        store_close(store);
    return error;
}

void store_close(struct store *store)
{
    store->db = db_close(store->db);
}

static void remove_database(const struct store *store, const char *name)
{
    static const char *const endings[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char path[STORE_NAME_SIZE + 8];

        snprintf(path, sizeof(path), "%s%s", name, endings[i]);
        (void)store->io->remove(store->dir_fd, path);
    }
}

int store_create_next(const struct store *store, struct store *next)
{
    unsigned number = 1;

    *next = *store;
    next->db = NULL;
    (void)name_to_number(store->name, &number);
    snprintf(next->name, sizeof(next->name), "queue-%u.db", number + 1);
    remove_database(next, next->name); /* of an attempt that failed */
    return open_named(next, DB_WRITE);
}

/* The damaged one may still tell a human something. */
static void keep_database(const struct store *store, const char *name)
{
    (void)store->io->rename(store->dir_fd, name, "queue.db.damaged");
    remove_database(store, name);
}

int store_switch(struct store *store, struct store *next, bool keeps_old)
{
    char old_name[STORE_NAME_SIZE];
    int error = db_checkpoint(next->db, true);

    if (!error)
        error = store->io->sync(store->dir_fd);
    if (!error)
        error = write_pointer(store, next->name);
    if (error) {
        store_close(next);
        return error;
    }
    memcpy(old_name, store->name, sizeof(old_name));
    store_close(store);
    *store = *next;
    if (keeps_old)
        keep_database(store, old_name);
    else
        remove_database(store, old_name);
    return 0;
}

void store_remove_leftovers(const struct store *store)
{
    int list_fd = openat(store->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = list_fd < 0 ? NULL : fdopendir(list_fd);
    const struct dirent *entry;
    unsigned number;

    if (!folder) {
        close_fd_cleanup(&list_fd);
        return;
    }
    while ((entry = readdir(folder))) {
        if (name_to_number(entry->d_name, &number) && strcmp(entry->d_name, store->name) != 0)
            remove_database(store, entry->d_name);
    }
    closedir(folder);
}

/* ---- copying ---- */

struct table_copy {
    enum queue_statement read, add;
    const char *types; /* of the columns: number, integer that may be NULL, text */
};

static const struct table_copy copies[] = {
    {QUEUE_ALL_MESSAGES,   QUEUE_ADD_MESSAGE,   "nnnnnnnnnttnntn" },
    {QUEUE_ALL_RECIPIENTS, QUEUE_ADD_RECIPIENT, "nntnnnntti"      },
    {QUEUE_ALL_FAILURES,   QUEUE_ADD_FAILURE,   "ntntnnnttttttttt"},
};

static int copy_row(struct statement *read, struct statement *add, const char *types)
{
    for (int i = 0; types[i]; i++) {
        if (types[i] != 'n' && column_is_null(read, i))
            bind_blob(add, i + 1, (struct slice){0});
        else if (types[i] == 'n' || types[i] == 'i')
            bind_number(add, i + 1, column_number(read, i));
        else
            bind_text(add, i + 1, column_text(read, i));
    }
    return statement_run(add);
}

static int commit_and_go_on(struct store *to)
{
    int error = db_commit(to->db);

    return error ? error : db_begin(to->db);
}

static int copy_table(struct store *from, struct store *to, const struct table_copy *copy)
{
    struct statement *read = db_statement(from->db, copy->read);
    uint32_t n_rows = 0;
    int result;

    while ((result = statement_step(read)) == STATEMENT_ROW) {
        result = copy_row(read, db_statement(to->db, copy->add), copy->types);
        if (!result && ++n_rows % ROWS_PER_COPY == 0)
            result = commit_and_go_on(to);
        if (result) {
            statement_reset(read);
            break;
        }
    }
    return result;
}

static int copy_all(struct store *from, struct store *to)
{
    int error = db_begin(to->db);

    for (size_t i = 0; !error && i < sizeof(copies) / sizeof(copies[0]); i++)
        error = copy_table(from, to, &copies[i]);
    if (!error)
        error = store_set_complete(to);
    if (!error)
        return db_commit(to->db);
    db_rollback(to->db);
    return error;
}

void store_save_failures(struct store *from, struct store *to)
{
    const struct table_copy *failures = &copies[sizeof(copies) / sizeof(copies[0]) - 1];
    int error = from->db ? 0 : open_named(from, DB_WRITE);

    if (!error)
        error = db_begin(to->db);
    if (error)
        return;
    error = copy_table(from, to, failures);
    if (error)
        log_debug("spool", "of the failures to be told, some could not be read");
    if (db_commit(to->db))
        log_debug("spool", "the failures to be told could not be kept");
}

int store_rewrite(struct store *store)
{
    struct store next;
    int error = 0;

    /* The failed one is read through a fresh connection: what was committed is in its files. */
    if (!store->db)
        error = open_named(store, DB_WRITE);
    if (!error)
        error = store_create_next(store, &next);
    if (error)
        return error;
    error = copy_all(store, &next);
    if (error) {
        store_close(&next);
        remove_database(store, next.name);
        return error;
    }
    return store_switch(store, &next, false);
}
