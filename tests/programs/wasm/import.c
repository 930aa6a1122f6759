/* Imports a function which no host offers, so it can be compiled but not instantiated. */

__attribute__((import_module("env"), import_name("nowhere"))) void nowhere(void);

int main(void)
{
    nowhere();
    return 0;
}
