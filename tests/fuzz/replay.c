/* SPDX-License-Identifier: MIT */
/*
 * replay.c - main() of a fuzz target without a fuzzer
 *
 * Feeds every file named, or in a folder named, to LLVMFuzzerTestOneInput(), the empty input first.
 * So the corpus is tested with any compiler, and a crashing input runs in a debugger. A fault is
 * the target's abort(); this program itself fails only on files it cannot read.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int complain(const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
    return -1;
}

static int replay_file(const char *path)
{
    uint8_t *data = NULL;
    long size = -1;
    int rc = -1;
    FILE *file = fopen(path, "rb");

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size < 0) {
        complain(path);
        goto out;
    }
    rewind(file);

    /* Exactly as large as the input, so that a sanitizer sees the first byte read past it. */
    data = malloc(size > 0 ? (size_t)size : 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) {
        complain(path);
        goto out;
    }
    /* Printed before, not after: the last line names the input that crashed. */
    fprintf(stderr, "%s: %ld bytes\n", path, size);
    rc = LLVMFuzzerTestOneInput(data, (size_t)size);
out:
    free(data);
    if (file)
        fclose(file);
    return rc;
}

static int replay_folder(const char *path, DIR *folder)
{
    struct dirent *entry;
    char name[4096];
    int rc = 0;

    while (rc == 0 && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        rc = replay_file(name);
    }
    return rc;
}

static int replay(const char *path)
{
    DIR *folder = opendir(path);

    /* A target whose corpus is still to be collected is no failure. */
    if (!folder && errno == ENOENT)
        return 0;
    if (!folder)
        return replay_file(path);

    int rc = replay_folder(path, folder);
    closedir(folder);
    return rc;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing;
    int rc = LLVMFuzzerTestOneInput(&nothing, 0);

    for (int i = 1; i < argc && rc == 0; i++)
        rc = replay(argv[i]);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
