/* Makes processes as fast as it can, in each of them, and none of them ever ends by itself. */

#include <unistd.h>

int main(void)
{
    for (;;)
        if (fork() < 0)
            usleep(1000);
}
