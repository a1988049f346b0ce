/* Allocations fail in functions that stand before the C library's. System calls, also those that the C library makes
 * inside itself, are caught by a seccomp filter that raises SIGSYS: the handler counts, and makes the call itself where
 * it is to work. The filter lets the handler's own calls through by the address that they come from. */
#include "faults/fail.h"

#include <errno.h>
#include <execinfo.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static const int WRITES[] = { SYS_write, SYS_pwrite64, SYS_writev, -1 }, READS[] = { SYS_read, SYS_pread64, -1 };
static const int OPENS[] = { SYS_open, SYS_openat, -1 }, SYNCS[] = { SYS_fsync, SYS_fdatasync, -1 };
static const int RENAMES[] = { SYS_rename, SYS_renameat, SYS_renameat2, -1 }, MAPS[] = { SYS_mmap, -1 };
static const int SIZES[] = { SYS_ftruncate, SYS_fallocate, -1 }, LINKS[] = { SYS_link, SYS_linkat, SYS_symlink, -1 };
static const int FOLDERS[] = { SYS_mkdir, SYS_mkdirat, -1 }, LISTS[] = { SYS_getdents64, -1 },
                 LOCKS[] = { SYS_flock, -1 };
static const int FACTS[] = { SYS_newfstatat, SYS_fstat, SYS_stat, SYS_lstat, SYS_statx, -1 };

const fault FAULTS[] = {
    { "allocation", NULL, ENOMEM, "memory", false, false, NO_LIMIT, 1 },
    { "all allocations", NULL, ENOMEM, "memory", false, true, NO_LIMIT, 7 },
    { "thread", NULL, EAGAIN, NULL, true, false, NO_LIMIT, 1 },
    { "write EIO", WRITES, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "write ENOSPC", WRITES, ENOSPC, NULL, false, false, NO_LIMIT, 1 },
    { "writes ENOSPC", WRITES, ENOSPC, NULL, false, true, NO_LIMIT, 1 },
    { "write EINTR", WRITES, EINTR, NULL, false, false, NO_LIMIT, 1 },
    { "write short", WRITES, 0, NULL, false, false, NO_LIMIT, 1 },
    { "read EIO", READS, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "read EINTR", READS, EINTR, NULL, false, false, NO_LIMIT, 1 },
    { "read short", READS, 0, NULL, false, false, NO_LIMIT, 1 },
    { "open EMFILE", OPENS, EMFILE, NULL, false, false, NO_LIMIT, 1 },
    { "open EIO", OPENS, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "open EINTR", OPENS, EINTR, NULL, false, false, NO_LIMIT, 1 },
    { "sync EIO", SYNCS, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "sync EINTR", SYNCS, EINTR, NULL, false, false, NO_LIMIT, 1 },
    { "rename EIO", RENAMES, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "rename ENOSPC", RENAMES, ENOSPC, NULL, false, false, NO_LIMIT, 1 },
    { "mmap ENOMEM", MAPS, ENOMEM, NULL, false, false, NO_LIMIT, 1 },
    { "truncate ENOSPC", SIZES, ENOSPC, NULL, false, false, NO_LIMIT, 1 },
    { "link EIO", LINKS, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "mkdir ENOSPC", FOLDERS, ENOSPC, NULL, false, false, NO_LIMIT, 1 },
    { "list EIO", LISTS, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "lock EINTR", LOCKS, EINTR, NULL, false, false, NO_LIMIT, 1 },
    { "stat EIO", FACTS, EIO, NULL, false, false, NO_LIMIT, 1 },
    { "memory limit", NULL, 0, NULL, false, false, MEMORY_LIMIT, 1 << 17 },
    { "file limit", NULL, 0, NULL, false, false, FILE_LIMIT, 1 << 10 },
    { "disk limit", NULL, 0, NULL, false, false, DISK_LIMIT, 1 << 12 },
};
const size_t N_FAULTS = sizeof FAULTS / sizeof *FAULTS;

bool fault_tell;
static const fault *armed;
static size_t failing;
static atomic_size_t *count; /* shared with the parent */

bool fault_share(void)
{
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return count != MAP_FAILED;
}

size_t fault_calls(void)
{
    return *count;
}

/* ---- allocations ------------------------------------------------------------------------------------------------- */

/* The C library's own, by the names that it keeps for who stands before it. */
extern void *__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);

#define SEEN __attribute__((visibility("default"))) /* by the libraries, too */

/* Who made the call that fails: addresses, for addr2line. */
static void tell(void)
{
    const fault *kept = armed;
    void *callers[32];
    if (!fault_tell)
        return;
    armed = NULL; /* backtrace allocates */
    backtrace_symbols_fd(callers, backtrace(callers, 32), STDERR_FILENO);
    armed = kept;
}

static bool is_failing(size_t call)
{
    return armed->forever ? call >= failing : call == failing;
}

static bool fails(bool thread)
{
    if (!armed || armed->calls || armed->thread != thread || !is_failing((*count)++))
        return false;
    tell();
    errno = armed->error;
    return true;
}

SEEN void *malloc(size_t n)
{
    return fails(false) ? NULL : __libc_malloc(n);
}

SEEN void *calloc(size_t n, size_t size)
{
    return fails(false) ? NULL : __libc_calloc(n, size);
}

SEEN void *realloc(void *p, size_t n)
{
    return fails(false) ? NULL : __libc_realloc(p, n);
}

void *memalign(size_t alignment, size_t n);
SEEN void *memalign(size_t alignment, size_t n)
{
    return fails(false) ? NULL : __libc_memalign(alignment, n);
}

SEEN void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

SEEN int posix_memalign(void **p, size_t alignment, size_t n)
{
    void *made = memalign(alignment, n);
    if (!made)
        return ENOMEM;
    *p = made;
    return 0;
}

SEEN void *mmap(void *address, size_t n, int protection, int flags, int fd, off_t offset)
{
    return fails(false) ? MAP_FAILED : (void *)syscall(SYS_mmap, address, n, protection, flags, fd, offset);
}

extern int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *argument)
{
    return fails(true) ? EAGAIN : __real_pthread_create(thread, how, start, argument);
}

/* ---- system calls ------------------------------------------------------------------------------------------------ */

extern const char fault_return[]; /* the address behind the only instruction whose calls the filter lets through */

/* A second copy would define the label twice. */
#ifdef __clang__
#define ONE_COPY __attribute__((noinline))
#else
#define ONE_COPY __attribute__((noinline, noclone))
#endif

ONE_COPY static long pass(long number, const long a[6])
{
    long out;
    register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall\n.globl fault_return\nfault_return:"
                     : "=a"(out)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return out;
}

static void caught(int signal, siginfo_t *what, void *context)
{
    (void)signal;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    int before = errno;
    bool now = r[REG_RDI] != STDERR_FILENO && is_failing((*count)++);
    long a[6] = { r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9] };
    if (now && !armed->error && a[2] > 1)
        a[2] /= 2;
    r[REG_RAX] = now && armed->error ? -armed->error : pass(what->si_syscall, a);
    errno = before;
}

static bool filter(const int *calls)
{
    struct sock_filter program[24];
    size_t n = 0, k = 0;
    uint64_t own = (uint64_t)(uintptr_t)fault_return;
    struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER };
    while (calls[k] != -1)
        k++;
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                offsetof(struct seccomp_data, instruction_pointer));
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)own, 0, 2);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                offsetof(struct seccomp_data, instruction_pointer) + 4);
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(own >> 32), (uint8_t)(k + 1), 0);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < k; i++)
        program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], (uint8_t)(k - i), 0);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog whole = { (unsigned short)n, program };
    return !sigaction(SIGSYS, &action, NULL) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
           !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

bool disk_allowed(void)
{
    static int allowed = -1;
    if (allowed < 0)
        allowed = (!unshare(CLONE_NEWNS) || !unshare(CLONE_NEWUSER | CLONE_NEWNS)) &&
                  !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return allowed;
}

bool disk_mount(void)
{
    return !mount("tmpfs", "run", "tmpfs", 0, "size=64m");
}

bool disk_unmount(void)
{
    return !umount2("run", MNT_DETACH);
}

/* So many bytes beyond those that are taken. */
static bool limit_disk(size_t bytes)
{
    struct statvfs st;
    char size[64];
    if (statvfs(".", &st))
        return false;
    snprintf(size, sizeof size, "size=%zu", (size_t)((st.f_blocks - st.f_bfree) * st.f_frsize) + bytes);
    return !bytes || !mount("none", "../run", NULL, MS_REMOUNT, size);
}

static bool limit_resource(int resource, size_t bytes)
{
    struct rlimit most = { bytes, bytes };
    return !setrlimit(resource, &most);
}

/* What the process takes before it begins; a stack that grows into the limit would be a signal that nobody can hear. */
static size_t memory_taken(void)
{
    volatile char stack[1 << 19];
    size_t pages = 0;
    for (size_t i = 0; i < sizeof stack; i += 1 << 10)
        stack[i] = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%zu", &pages) != 1)
        abort();
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool arm_limit(const fault *f, size_t bytes)
{
    switch (f->limit) {
    case MEMORY_LIMIT:
        return limit_resource(RLIMIT_AS, memory_taken() + bytes);
    case FILE_LIMIT:
        return limit_resource(RLIMIT_FSIZE, bytes);
    default:
        return limit_disk(bytes);
    }
}

bool fault_arm(const fault *f, size_t n)
{
    *count = 0;
    if (f->limit)
        return arm_limit(f, n * f->step);
    failing = n;
    armed = f;
    return !f->calls || filter(f->calls);
}
