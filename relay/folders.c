#include "relay/folders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "relay/net/privileges.h"

/* Every missing folder above path too, 0755, as install -d would. */
static int make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return 0;
}

static int make(const char *folder, const char *name, mode_t mode, const char *user,
                struct buffer *problem)
{
    char path[4096];
    struct user_ids ids;
    int error;

    snprintf(path, sizeof(path), "%s%s%s", folder, *name ? "/" : "", name);
    error = make_parents(path);
    if (error == 0 && mkdir(path, mode) < 0 && errno != EEXIST)
        error = -errno;
    /* Only root can give folders away; without the user, everything stays the caller's. */
    if (error == 0 && geteuid() == 0 && privileges_find_user(user, &ids) == 0 &&
        (chown(path, ids.uid, ids.gid) < 0 || chmod(path, mode) < 0))
        error = -errno;
    if (error < 0)
        buffer_printf(problem, "%s: %s\n", path, strerror(-error));
    return error;
}

int folders_make(const struct settings *settings, struct buffer *problem)
{
    const struct {
        const char *folder, *name;
        mode_t mode;
        const char *user;
    } rows[] = {
        {settings->data_dir,  "",        0755, "root"        },
        {settings->data_dir,  "db",      0700, settings->user},
        {settings->data_dir,  "history", 0700, settings->user},
        {settings->data_dir,  "keys",    0700, SIGNER_USER   },
        {settings->spool_dir, "",        0700, settings->user},
        {settings->run_dir,   "",        0755, settings->user},
    };
    int error = 0;

    for (size_t i = 0; error == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
        error = make(rows[i].folder, rows[i].name, rows[i].mode, rows[i].user, problem);
    /* Folders that others made may be open to all; what is put into them never is. */
    (void)umask(077);
    return error;
}
