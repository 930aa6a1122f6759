/* LOOP N: passes N times through a loop of two instructions, and ends with code 0. */

    .globl _start
    .text
_start:
#if defined(__x86_64__)
    movq 16(%rsp), %rsi /* argv[1] */
    xorl %ecx, %ecx
1:  movzbl (%rsi), %eax /* decimal digits to a number */
    testl %eax, %eax
    jz 2f
    leaq (%rcx, %rcx, 4), %rcx
    leaq -48(%rax, %rcx, 2), %rcx
    incq %rsi
    jmp 1b
    .balign 64
2:  subq $1, %rcx
    jnz 2b
    xorl %edi, %edi
    movl $60, %eax /* exit */
    syscall
#elif defined(__aarch64__)
    ldr x1, [sp, #16] /* argv[1] */
    mov x0, #0
    mov x3, #10
1:  ldrb w2, [x1], #1 /* decimal digits to a number */
    cbz w2, 2f
    sub x2, x2, #48
    madd x0, x0, x3, x2
    b 1b
    .balign 64
2:  subs x0, x0, #1
    b.ne 2b
    mov x8, #93 /* exit, of code 0 */
    svc #0
#else
#error "loop: no system call sequence is written for this architecture"
#endif

    .section .note.GNU-stack, "", %progbits
