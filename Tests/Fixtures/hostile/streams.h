// A connected TCP socket for attempts on it, and where they would rather have it lead.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

// With a port: made here, to 127.0.0.1. Without: what the host passes on descriptor 3, as `net.connect` does. Or -1.
int connected_stream(const char *port);

// 127.0.0.1 and a port; where there is none, any: the filter must not care.
struct sockaddr_in elsewhere(const char *port);

// connect(2) to AF_UNSPEC, which makes a socket new again.
int disconnect(int stream);
