/* fsync and fdatasync of which one fails with EIO: the next one of a file below a folder `wal`, once the file that
 * FAILING_SYNC_TRIGGER names is there. To be preloaded into a server (LD_PRELOAD). */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_of_log(int descriptor)
{
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return strstr(path, "/wal/") != NULL;
}

static int sync_or_fail(long call, int descriptor)
{
    const char *trigger = getenv("FAILING_SYNC_TRIGGER");
    /* One alone can remove it, and fails. */
    if (trigger != NULL && is_of_log(descriptor) && unlink(trigger) == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, descriptor);
}

int fsync(int descriptor)
{
    return sync_or_fail(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return sync_or_fail(SYS_fdatasync, descriptor);
}
