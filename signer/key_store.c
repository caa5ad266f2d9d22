#include "signer/key_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "relay/base/event.h"
#include "relay/net/privileges.h"
#include "signer/key_file.h"
#include "signer/key_set.h"

struct key_store {
    int dir_fd;
    pthread_mutex_t changing; /* held over a whole change: file, then set */
    pthread_mutex_t lock;     /* held to read or replace `current` */
    struct key_set *current;
};

static int make_folder(const char *folder, const char *user)
{
    struct user_ids ids;

    if (mkdir(folder, 0700) != 0)
        return errno == EEXIST ? 0 : FAULT(-errno);
    if (!user || geteuid() != 0 || privileges_find_user(user, &ids) != 0)
        return 0;
    return chown(folder, ids.uid, ids.gid) == 0 ? 0 : FAULT(-errno);
}

int key_store_open_folder(int *dir_fd, const char *folder, const char *user)
{
    int error = make_folder(folder, user), fd;

    if (error)
        return error;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return FAULT(-errno);
    *dir_fd = fd;
    return 0;
}

/* Adds what a file's name says; other files are none of ours and stay unread. */
static int add_file(struct key_set *set, const char *file)
{
    struct signing_key key = {0};

    if (!key_file_name_parse(file, &key))
        return 0;
    return key_set_add(set, &key);
}

static int read_folder(int dir_fd, struct key_set *set)
{
    int copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    DIR *folder = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    int error = 0;

    if (!folder) {
        error = FAULT(-errno);
        if (copy >= 0)
            close(copy);
        return error;
    }
    rewinddir(folder);
    while (!error && (entry = readdir(folder)))
        error = add_file(set, entry->d_name);
    closedir(folder);
    key_set_sort(set);
    return error;
}

static int load(struct key_store *store)
{
    int error = key_folder_check(store->dir_fd);

    if (error)
        return error;
    if (unlinkat(store->dir_fd, KEY_FILE_UNFINISHED, 0) != 0 && errno != ENOENT)
        return FAULT(-errno);
    store->current = key_set_new(0);
    if (!store->current)
        return FAULT(-ENOMEM);
    return read_folder(store->dir_fd, store->current);
}

int key_store_open(struct key_store **out, int dir_fd)
{
    struct key_store *store = calloc(1, sizeof(*store));
    int error;

    if (!store) {
        close(dir_fd);
        return FAULT(-ENOMEM);
    }
    pthread_mutex_init(&store->changing, NULL);
    pthread_mutex_init(&store->lock, NULL);
    store->dir_fd = dir_fd;
    error = load(store);
    if (error) {
        key_store_close(store);
        return error;
    }
    *out = store;
    return 0;
}

struct key_store *key_store_close(struct key_store *store)
{
    if (!store)
        return NULL;
    key_set_unref(store->current);
    close(store->dir_fd);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->changing);
    free(store);
    return NULL;
}

struct key_set *key_store_current(struct key_store *store)
{
    struct key_set *set;

    pthread_mutex_lock(&store->lock);
    set = key_set_ref(store->current);
    pthread_mutex_unlock(&store->lock);
    return set;
}

static void publish(struct key_store *store, struct key_set *set)
{
    struct key_set *old;

    pthread_mutex_lock(&store->lock);
    old = store->current;
    store->current = set;
    pthread_mutex_unlock(&store->lock);
    key_set_unref(old);
}

static int decode_file(struct key_store *store, const char *file, EVP_PKEY **out,
                       enum dkim_key_type wanted)
{
    struct buffer pem = BUFFER_INIT;
    enum dkim_key_type type = wanted;
    char why[KEY_WHY_SIZE] = "its file cannot be read";
    int error = key_file_read(store->dir_fd, file, PRIVATE_KEY_FILE_MAX, &pem);

    if (!error)
        error = private_key_decode(out, &type, buffer_slice(&pem), why);
    private_key_wipe(&pem);
    if (!error && type != wanted) {
        EVP_PKEY_free(*out);
        snprintf(why, sizeof(why), "its file is named for another type of key");
        error = -EBADMSG;
    }
    if (error)
        EVENT(EVENT_KEY_REFUSED, field_text("key", file), field_text("reason", why));
    return error;
}

EVP_PKEY *signing_key_private(struct key_store *store, const struct signing_key *key)
{
    char file[KEY_FILE_NAME_SIZE];
    EVP_PKEY *fresh;
    int error;

    switch (key_cache_get(key->cache, &fresh)) {
    case KEY_CACHE_READY:
        return fresh;
    case KEY_CACHE_BAD: /* said once; a restart tries again */
        return NULL;
    case KEY_CACHE_EMPTY:
        break;
    }
    key_file_name_print(file, key);
    error = decode_file(store, file, &fresh, key->type);
    if (error == -EBADMSG || error == -ENOENT)
        key_cache_set_bad(key->cache); /* anything else may pass */
    return error ? NULL : key_cache_put(key->cache, fresh);
}

/* Under `changing`: the next set, with one more key or with one key less. */
static int publish_changed(struct key_store *store, const struct key_name *without,
                           const struct signing_key *with)
{
    struct key_set *next = key_set_copy(store->current, without);
    int error = next ? 0 : FAULT(-ENOMEM);

    if (!error && with)
        error = key_set_add(next, with);
    if (error) {
        key_set_unref(next);
        return error;
    }
    key_set_sort(next);
    publish(store, next);
    return 0;
}

static int write_key(struct key_store *store, const struct signing_key *key, EVP_PKEY *private)
{
    char file[KEY_FILE_NAME_SIZE];
    struct buffer pem = BUFFER_INIT;
    int error = private_key_encode(private, &pem);

    key_file_name_print(file, key);
    if (!error)
        error = key_file_write(store->dir_fd, file, buffer_slice(&pem));
    private_key_wipe(&pem);
    return error;
}

/* Takes private, also on failure. */
static int add_key(struct key_store *store, const struct key_name *name, enum dkim_key_type type,
                   EVP_PKEY *private)
{
    struct signing_key key = {.name = *name, .type = type};
    int error = -EEXIST;

    pthread_mutex_lock(&store->changing);
    if (!key_set_find(store->current, name))
        error = write_key(store, &key, private);
    if (!error)
        error = publish_changed(store, NULL, &key);
    pthread_mutex_unlock(&store->changing);
    EVP_PKEY_free(private);
    return error;
}

int key_store_create(struct key_store *store, const struct key_name *name, enum dkim_key_type type)
{
    EVP_PKEY *private;
    int error = private_key_generate(&private, type);

    return error ? error : add_key(store, name, type, private);
}

int key_store_import(struct key_store *store, const struct key_name *name, struct slice pem,
                     char why[KEY_WHY_SIZE])
{
    EVP_PKEY *private;
    enum dkim_key_type type;
    int error = private_key_decode(&private, &type, pem, why);

    if (error)
        return error;
    error = private_key_check(private, why);
    if (error) {
        EVP_PKEY_free(private);
        return error;
    }
    return add_key(store, name, type, private);
}

/* Under `changing`. */
static int switch_key(struct key_store *store, const struct signing_key *key, bool is_active)
{
    char from[KEY_FILE_NAME_SIZE], to[KEY_FILE_NAME_SIZE];
    struct signing_key changed = *key;
    int error;

    if (key->is_active == is_active)
        return 0;
    changed.is_active = is_active;
    key_file_name_print(from, key);
    key_file_name_print(to, &changed);
    error = key_file_rename(store->dir_fd, from, to);
    return error ? error : publish_changed(store, &key->name, &changed);
}

/* Under `changing`: what signed so far steps back only after the new one stands in its place. */
static int retire_others(struct key_store *store, const struct signing_key *chosen)
{
    struct key_set *set = key_set_ref(store->current);
    const struct signing_key *key;
    int error = 0;

    for (size_t i = key_set_first_of(set, chosen->name.domain);
         !error && (key = key_set_at(set, i)) && strcmp(key->name.domain, chosen->name.domain) == 0;
         i++)
        if (key->is_active && key->type == chosen->type &&
            strcmp(key->name.selector, chosen->name.selector) != 0)
            error = switch_key(store, key, false);
    key_set_unref(set);
    return error;
}

int key_store_set_active(struct key_store *store, const struct key_name *name, bool is_active)
{
    struct key_set *set;
    const struct signing_key *key;
    int error;

    pthread_mutex_lock(&store->changing);
    set = key_set_ref(store->current);
    key = key_set_find(set, name);
    error = key ? switch_key(store, key, is_active) : -ENOENT;
    if (!error && is_active)
        error = retire_others(store, key);
    key_set_unref(set);
    pthread_mutex_unlock(&store->changing);
    return error;
}

int key_store_delete(struct key_store *store, const struct key_name *name)
{
    const struct signing_key *key;
    char file[KEY_FILE_NAME_SIZE];
    int error = -ENOENT;

    pthread_mutex_lock(&store->changing);
    key = key_set_find(store->current, name);
    if (key) {
        key_file_name_print(file, key);
        error = key_file_delete(store->dir_fd, file);
    }
    if (!error)
        error = publish_changed(store, name, NULL);
    pthread_mutex_unlock(&store->changing);
    return error;
}
