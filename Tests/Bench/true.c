// What bwrap runs: nothing, statically linked.
int main(void) { return 0; }
