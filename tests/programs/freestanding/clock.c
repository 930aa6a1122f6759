/*
 * Prints CLOCK_MONOTONIC in nanoseconds as it was when the program began, or
 * appends it to FILE, its one argument, if there is one.
 *
 * The clock is read by a system call before anything else happens, so the
 * figure is later than the first instruction by one entry into the kernel. The
 * timespec overwrites argc and argv[0], which are of no use here: that page the
 * kernel has just written, so the call meets no fault. FILE comes right after.
 */

#include <linux/fcntl.h>
#include <linux/time_types.h>

#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    movl $1, %edi\n" /* CLOCK_MONOTONIC */
        "    movq %rsp, %rsi\n"
        "    movl $228, %eax\n" /* clock_gettime */
        "    syscall\n"
        "    movq %rsp, %rdi\n"
        "    andq $-16, %rsp\n"
        "    call report\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start:\n"
        "    mov x0, #1\n" /* CLOCK_MONOTONIC */
        "    mov x1, sp\n"
        "    mov x8, #113\n" /* clock_gettime */
        "    svc #0\n"
        "    mov x0, sp\n"
        "    bl report\n");
#else
#error "clock: no system call sequence is written for this architecture"
#endif

#if defined(__x86_64__)
enum { SYS_WRITE = 1, SYS_EXIT = 60, SYS_OPENAT = 257 };

static long system_call(long number, long first, const void *second, long third, long fourth)
{
    register long r10 __asm__("r10") = fourth;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}
#else
enum { SYS_OPENAT = 56, SYS_WRITE = 64, SYS_EXIT = 93 };

static long system_call(long number, long first, const void *second, long third, long fourth)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register const void *x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;
    register long x3 __asm__("x3") = fourth;

    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#endif

enum { STDOUT = 1, MODE = 0644 };

/* Puts the digits of a number before `end`; returns where they begin. */
static char *put_decimal(char *end, unsigned long long number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
}

static long open_to_append(const char *file)
{
    return system_call(SYS_OPENAT, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, MODE);
}

__attribute__((noreturn, used)) void report(const struct __kernel_timespec *now)
{
    const char *const file = *(const char *const *)(now + 1);
    char text[24];
    char *const end = text + sizeof text;

    end[-1] = '\n';
    char *begin = put_decimal(end - 1, (unsigned long long)now->tv_sec * 1000000000 + (unsigned long long)now->tv_nsec);
    const long output = file ? open_to_append(file) : STDOUT;
    const long written = system_call(SYS_WRITE, output, begin, end - begin, 0);
    system_call(SYS_EXIT, written == end - begin ? 0 : 1, 0, 0, 0);
    __builtin_unreachable();
}
