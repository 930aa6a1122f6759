/* Traps by `unreachable` in the second function called from `_start`'s own. */

__attribute__((noinline)) static void fault(void)
{
    __builtin_trap();
}

int main(void)
{
    fault();
    return 0;
}
