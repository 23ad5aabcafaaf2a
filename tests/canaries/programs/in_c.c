#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int good = argc > 1 && strcmp(argv[1], "good") == 0;
    FILE *file = fopen("state.tmp", "w");
    if (!file || fputs("new", file) < 0 || fflush(file) != 0)
        return 1;
    if (good && fsync(fileno(file)) != 0)
        return 1;
    fclose(file);
    if (rename("state.tmp", "state") != 0) // <- here
        return 1;
    if (good) {
        int folder = open(".", O_RDONLY | O_DIRECTORY);
        if (folder < 0 || fsync(folder) != 0)
            return 1;
        close(folder);
    }
    open("/hf-mark:saved", O_RDONLY);
    return 0;
}
