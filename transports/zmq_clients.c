/* SPDX-License-Identifier: MIT */
/*
 * zmq_clients.c - a folder of certificates, read again when anything in it has changed
 *
 * Whether it has is seen by what the kernel says of its files, which costs a system call for each
 * and each handshake: no event can be lost, and nothing has to be watched.
 */
#define _GNU_SOURCE
#include "zmq_clients.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>
#include <zmq.h>

#include "../core/escape.h"

/* REPORT_NS: between two lines about clients refused. SETTLED_NS: two changes of a file within one
 * tick of the kernel's clock look like one, so a file that is younger is read again. */
#define REPORT_NS (10 * UINT64_C(1000000000))
#define SETTLED_NS INT64_C(1000000000)

enum { LINE_SIZE = 512, SHOWN_SIZE = 128 };

/* A file in the folder, and what it was when it was read. */
typedef struct entry {
    char *file;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
    bool is_settled;
    const char *why;                                     /* what is wrong with it; NULL: nothing */
    char key[JRI_ZMQ_KEY_SIZE], name[JRI_ZMQ_NAME_SIZE]; /* "": none */
} entry;

typedef struct entries {
    entry *items;
    size_t n, n_max;
} entries;

struct jri_zmq_clients {
    char *folder; /* NULL: any client */
    entries known;

    uv_mutex_t lock; /* of all that follows */
    char faults[LINE_SIZE], refused[LINE_SIZE];
    bool has_faults;                 /* not yet reported */
    uint64_t n_refused, reported_at; /* by uv_hrtime(); 0: never */
};

static void free_entries(entries *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i].file);
    free(list->items);
    *list = (entries){0};
}

static int add_entry(entries *list, const char *file, const struct stat *about)
{
    if (list->n == list->n_max) {
        size_t n_max = list->n_max ? 2 * list->n_max : 16;
        entry *items = reallocarray(list->items, n_max, sizeof(*items));
        if (!items)
            return -ENOMEM;
        list->items = items;
        list->n_max = n_max;
    }
    char *copy = strdup(file);
    if (!copy)
        return -ENOMEM;
    list->items[list->n++] = (entry){.file = copy,
                                     .device = about->st_dev,
                                     .inode = about->st_ino,
                                     .size = about->st_size,
                                     .changed = about->st_ctim};
    return 0;
}

/* Secret keys have no business here; but whoever makes certificates in the folder has them there.
 */
static bool is_passed_over(const char *file)
{
    static const char secret[] = "_secret";
    size_t len = strlen(file), tail = sizeof(secret) - 1;

    return file[0] == '.' || (len >= tail && !strcmp(file + len - tail, secret));
}

static int by_file(const void *left, const void *right)
{
    return strcmp(((const entry *)left)->file, ((const entry *)right)->file);
}

/* All files, sorted, none of them read. */
static int list_files(DIR *folder, entries *out)
{
    int status = 0;

    while (!status) {
        struct stat about;
        errno = 0;
        const struct dirent *found = readdir(folder);
        if (!found) {
            status = -errno;
            break;
        }
        /* A link that leads nowhere, or a file that has gone meanwhile, is no certificate. */
        if (!is_passed_over(found->d_name) && !fstatat(dirfd(folder), found->d_name, &about, 0) &&
            S_ISREG(about.st_mode))
            status = add_entry(out, found->d_name, &about);
    }
    if (!status && out->n)
        qsort(out->items, out->n, sizeof(*out->items), by_file);
    return status;
}

static bool is_same(const entry *old, const entry *now)
{
    return old->is_settled && !strcmp(old->file, now->file) && old->device == now->device &&
           old->inode == now->inode && old->size == now->size &&
           old->changed.tv_sec == now->changed.tv_sec &&
           old->changed.tv_nsec == now->changed.tv_nsec;
}

static bool are_same(const entries *old, const entries *now)
{
    if (old->n != now->n)
        return false;
    for (size_t i = 0; i < now->n; i++)
        if (!is_same(&old->items[i], &now->items[i]))
            return false;
    return true;
}

static bool is_settled(const struct timespec *changed)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)(now.tv_sec - changed->tv_sec) * 1000000000 + now.tv_nsec - changed->tv_nsec >
           SETTLED_NS;
}

/* 0 also if it is no certificate; -ENOMEM and its like mean that nobody can tell. */
static int read_entry(int folder, entry *file)
{
    jri_zmq_certificate certificate;

    file->is_settled = is_settled(&file->changed);
    int status = jri_zmq_certificate_read(folder, file->file, /* is_secret */ false, &certificate,
                                          &file->why);
    if (status == -ENOMEM || status == -EMFILE || status == -ENFILE || status == -EIO)
        return status;
    if (!status) {
        memcpy(file->key, certificate.public_key, sizeof(file->key));
        memcpy(file->name, certificate.name, sizeof(file->name));
    }
    /* Somebody has put a secret key here, under whatever name: it is not kept. */
    jri_zmq_certificate_wipe(&certificate);
    return 0;
}

static bool is_key(const char *name)
{
    uint8_t bytes[32];

    return strlen(name) == JRI_ZMQ_KEY_SIZE - 1 && zmq_z85_decode(bytes, name);
}

static int by_name(const void *left, const void *right)
{
    const entry *const *a = left, *const *b = right;
    int order = strcmp((*a)->name, (*b)->name);

    return order ? order : strcmp((*a)->key, (*b)->key);
}

static void take_name(entry *file, bool is_shared)
{
    if (!*file->name)
        return;
    if (is_shared)
        file->why = "its name is another certificate's, too: its key stands for it";
    else if (is_key(file->name))
        file->why = "its name looks like a key: its key stands for it";
    else
        return;
    *file->name = 0;
}

/* Takes away names that tell nobody who it is. */
static int check_names(entries *list)
{
    if (!list->n)
        return 0;
    entry **sorted = calloc(list->n, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++)
        sorted[i] = &list->items[i];
    qsort(sorted, list->n, sizeof(*sorted), by_name);

    for (size_t i = 0, end; i < list->n; i = end) {
        bool is_shared = false;
        for (end = i + 1; end < list->n && !strcmp(sorted[end]->name, sorted[i]->name); end++)
            is_shared = is_shared || strcmp(sorted[end]->key, sorted[i]->key) != 0;
        for (size_t j = i; j < end; j++)
            take_name(sorted[j], is_shared);
    }
    free(sorted);
    return 0;
}

/* What is wrong in the folder, unless that is what was wrong before. */
static void note_faults(jri_zmq_clients *clients, const entries *list)
{
    char line[LINE_SIZE] = "", file[SHOWN_SIZE], folder[SHOWN_SIZE];
    size_t n = 0;
    const entry *first = NULL;

    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].why && !n++)
            first = &list->items[i];
    if (first) {
        jri_escape(file, sizeof(file), first->file, strlen(first->file));
        jri_escape(folder, sizeof(folder), clients->folder, strlen(clients->folder));
        snprintf(line, sizeof(line), "clients: '%s' in %s: %s%s", file, folder, first->why,
                 n > 1 ? "; and there are more such files" : "");
    }
    uv_mutex_lock(&clients->lock);
    if (strcmp(clients->faults, line)) {
        memcpy(clients->faults, line, sizeof(line));
        clients->has_faults = *line;
    }
    uv_mutex_unlock(&clients->lock);
}

static int read_entries(DIR *folder, entries *list)
{
    for (size_t i = 0; i < list->n; i++) {
        int status = read_entry(dirfd(folder), &list->items[i]);
        if (status)
            return status;
    }
    return check_names(list);
}

/* What is known is what lies in the folder. */
static int refresh(jri_zmq_clients *clients)
{
    entries now = {0};
    DIR *folder = opendir(clients->folder);

    if (!folder)
        return -errno;
    int status = list_files(folder, &now);
    if (!status && !are_same(&clients->known, &now)) {
        status = read_entries(folder, &now);
        if (!status) {
            entries old = clients->known;
            clients->known = now;
            now = old;
            note_faults(clients, &clients->known);
        }
    }
    closedir(folder);
    free_entries(&now);
    return status;
}

/* Where the folder is, also when the program goes elsewhere. A link on the way stays one: folders
 * are replaced by turning links. */
static int keep_folder(jri_zmq_clients *clients, const char *folder)
{
    if (folder[0] == '/') {
        clients->folder = strdup(folder);
        return clients->folder ? 0 : -ENOMEM;
    }
    char *here = getcwd(NULL, 0);
    if (!here)
        return -errno;
    if (asprintf(&clients->folder, "%s/%s", here, folder) < 0)
        clients->folder = NULL;
    free(here);
    return clients->folder ? 0 : -ENOMEM;
}

int jri_zmq_clients_new(const char *folder, jri_zmq_clients **out)
{
    jri_zmq_clients *clients = calloc(1, sizeof(*clients));

    if (!clients)
        return -ENOMEM;
    int status = uv_mutex_init(&clients->lock);
    if (status) {
        free(clients);
        return status;
    }
    if (folder)
        status = keep_folder(clients, folder);
    if (folder && !status)
        status = refresh(clients);
    if (status)
        jri_zmq_clients_free(clients);
    else
        *out = clients;
    return status;
}

static void note_refused(jri_zmq_clients *clients, const char *key, const char *address, int status)
{
    char folder[SHOWN_SIZE], from[SHOWN_SIZE];

    jri_escape(folder, sizeof(folder), clients->folder, strlen(clients->folder));
    jri_escape(from, sizeof(from), address, strlen(address));
    uv_mutex_lock(&clients->lock);
    clients->n_refused++;
    if (status == -EACCES)
        snprintf(clients->refused, sizeof(clients->refused),
                 "client with key '%s' from '%s' refused: no certificate in %s", key, from, folder);
    else
        snprintf(clients->refused, sizeof(clients->refused),
                 "client with key '%s' from '%s' refused: %s cannot be read: %s", key, from, folder,
                 uv_strerror(status));
    uv_mutex_unlock(&clients->lock);
}

static const entry *find_key(const entries *list, const char *key)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(list->items[i].key, key))
            return &list->items[i];
    return NULL;
}

int jri_zmq_clients_find(jri_zmq_clients *clients, const char *key, const char *address,
                         char name[JRI_ZMQ_NAME_SIZE])
{
    const entry *found = NULL;
    int status = 0;

    if (clients->folder) {
        status = refresh(clients);
        found = status ? NULL : find_key(&clients->known, key);
        if (!status && !found)
            status = -EACCES;
        if (status) {
            note_refused(clients, key, address, status);
            return status;
        }
    }
    snprintf(name, JRI_ZMQ_NAME_SIZE, "%s", found && *found->name ? found->name : key);
    return 0;
}

bool jri_zmq_clients_report(jri_zmq_clients *clients, char *to, size_t size)
{
    bool has_line = false;
    uint64_t now = uv_hrtime();

    uv_mutex_lock(&clients->lock);
    if (clients->has_faults) {
        snprintf(to, size, "%s", clients->faults);
        clients->has_faults = false;
        has_line = true;
    } else if (clients->n_refused &&
               (!clients->reported_at || now - clients->reported_at >= REPORT_NS)) {
        snprintf(to, size, "%s (%" PRIu64 " since the last such line)", clients->refused,
                 clients->n_refused);
        clients->n_refused = 0;
        clients->reported_at = now;
        has_line = true;
    }
    uv_mutex_unlock(&clients->lock);
    return has_line;
}

void jri_zmq_clients_free(jri_zmq_clients *clients)
{
    if (!clients)
        return;
    free_entries(&clients->known);
    free(clients->folder);
    uv_mutex_destroy(&clients->lock);
    free(clients);
}
