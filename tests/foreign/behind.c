/*
 * Becomes a program behind a wrapper: BEFORE is the list of words that come before the program's own arguments. A shell script would do
 * nearly the same, but shells leave out names of the environment that are none to them.
 */
#include <stdlib.h>
#include <unistd.h>

static char *const before[] = {BEFORE};
enum { COUNT = sizeof before / sizeof *before };

int main(int argc, char **argv) {
	char **words = calloc(COUNT + argc, sizeof *words);
	if (!words) return 125;
	for (int i = 0; i < COUNT; i++) words[i] = before[i];
	for (int i = 1; i < argc; i++) words[COUNT + i - 1] = argv[i];
	execvp(words[0], words);
	return 126;
}
