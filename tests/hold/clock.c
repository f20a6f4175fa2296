/* A library for LD_PRELOAD: the time of day is ahead by the number of seconds in the file CLOCK_FILE; the monotonic
   clock stays. libfaketime 0.9 breaks Python's time.sleep if it leaves the monotonic clock alone. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = syscall(SYS_clock_gettime, clock, at);
    char text[32] = "";
    const char *name = getenv("CLOCK_FILE");
    int file = clock == CLOCK_REALTIME && name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0)
            at->tv_sec += atol(text);
        close(file);
    }
    return result;
}
