/* The cheapest program there is: its first act is to end with code 0. */

    .globl _start
    .text
_start:
#if defined(__x86_64__)
    xorl %edi, %edi
    movl $60, %eax /* exit */
    syscall
#elif defined(__aarch64__)
    mov x0, #0
    mov x8, #93 /* exit */
    svc #0
#else
#error "noop: no system call sequence is written for this architecture"
#endif

    .section .note.GNU-stack, "", %progbits
