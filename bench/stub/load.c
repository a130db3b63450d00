/* A cheap load generator for gateways, for benchmarks only.
 *
 *   load --port N [--connections N] [--seconds S] [--first N] [--least-bytes N] [--mss N]
 *        [--spread SECONDS] [--aside N] [--aside-rate BYTES] REQUEST_FILE MARKER
 *
 * One thread, epoll, HTTP/1.1 keep-alive, loopback only. Each connection sends the bytes of the file, reads the
 * whole reply, and sends them again, until the time is over; then what is open is read to its end. A run of ten @
 * in the file becomes the number of the request, counted from --first. A reply is good if its status is 200, its
 * body has the marker and no fewer than the least bytes.
 *
 * The connections begin one after the other within --spread.
 *
 * The first --aside connections are not part of the figures. With a rate they are slow readers: each takes that
 * many bytes a second and no more. --mss gives packets the size that a real network has, so that the buffers of the
 * system are no larger than there.
 *
 * Prints one JSON line: good, failed, wall_s, p50_us, p99_us, aside. The first bad reply goes to stderr.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DIGITS 10
#define TICK_US 50000
#define PATIENCE_US 60000000u
#define SMALL_BUFFER 4096

typedef struct {
  int fd, is_aside, is_open, is_reused, closes, status, is_chunked;
  char *in;
  size_t in_len, in_cap, body_at, body_len, at;  /* `at`: where the next chunk begins */
  uint64_t sent_us;
} Conn;

static Conn *conns;
static char *request, *number_at, *marker;
static size_t request_len, marker_len;
static int poller, port;
static long connections = 1, seconds_ms = 1000, spread_us, first_number, least_bytes, mss, aside, aside_rate;
static uint64_t n_good, n_failed, n_aside, end_us;
static uint32_t *latencies;
static size_t latencies_cap;
static long n_busy, n_watched; /* connections with a request in flight, and those of them that are not aside */

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + t.tv_nsec / 1000;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void connect_to_port(Conn *c) {
  int one = 1, small = SMALL_BUFFER, segment = mss;
  if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) fail("load: socket");
  if (segment) setsockopt(c->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  if (c->is_aside && aside_rate) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(c->fd, (void *)&a, sizeof a)) fail("load: connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event e = {.events = c->is_aside && aside_rate ? 0 : EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e)) fail("load: epoll_ctl");
  c->is_reused = 0;
}

static void send_request(Conn *c) {
  static char digits[24];
  if (number_at) {
    snprintf(digits, sizeof digits, "%010ld", first_number++ % 10000000000);
    memcpy(number_at, digits, DIGITS);
  }
  c->in_len = c->body_at = c->body_len = c->at = 0;
  c->status = c->is_chunked = c->closes = 0;
  c->sent_us = now_us();
  for (size_t done = 0; done < request_len;) {
    ssize_t n = send(c->fd, request + done, request_len - done, MSG_NOSIGNAL);
    if (n < 0) return; /* the connection is gone, as the next read will tell */
    done += n;
  }
}

static void start(Conn *c) {
  c->is_open = 1;
  n_busy++;
  n_watched += !c->is_aside;
  send_request(c);
}

static void reconnect(Conn *c) {
  close(c->fd);
  connect_to_port(c);
}

/* Reads the head once it is whole; returns 0 while more must arrive. */
static int take_head(Conn *c) {
  char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t head = end - c->in + 4;
  c->status = head > 12 ? atoi(c->in + 9) : 0;
  for (char *line = memchr(c->in, '\n', head); line && line < end; line = memchr(line + 1, '\n', c->in + head - line - 1)) {
    if (!strncasecmp(line + 1, "content-length:", 15)) c->body_len = strtoul(line + 16, NULL, 10);
    else if (!strncasecmp(line + 1, "transfer-encoding: chunked", 26)) c->is_chunked = 1;
    else if (!strncasecmp(line + 1, "connection: close", 17)) c->closes = 1;
  }
  c->body_at = c->at = head;
  return 1;
}

/* Tells whether the reply is whole. */
static int is_whole(Conn *c) {
  if (!c->body_at && !take_head(c)) return 0;
  if (!c->is_chunked) return c->in_len >= c->body_at + c->body_len;
  for (char *line; (line = memmem(c->in + c->at, c->in_len - c->at, "\r\n", 2));) {
    size_t size = strtoul(c->in + c->at, NULL, 16), next = line - c->in + 2 + size + 2;
    if (c->in_len < next) return 0;
    c->at = next;
    c->body_len += size;
    if (!size) return 1;
  }
  return 0;
}

static void note(Conn *c, int is_good) {
  if (c->is_aside) {
    n_aside++;
    return;
  }
  if (!is_good) {
    if (!n_failed++) fprintf(stderr, "load: bad reply: %.*s\n", (int)(c->in_len < 700 ? c->in_len : 700), c->in);
    return;
  }
  if (n_good == latencies_cap) {
    latencies_cap = latencies_cap * 2 + 65536;
    if (!(latencies = realloc(latencies, latencies_cap * sizeof *latencies))) abort();
  }
  latencies[n_good++] = now_us() - c->sent_us;
}

/* The reply of a connection is over: ask again, or stop. */
static void go_on(Conn *c, int is_good, int is_closed) {
  note(c, is_good);
  c->is_open = 0;
  n_busy--;
  n_watched -= !c->is_aside;
  c->is_reused = 1;
  if (now_us() >= end_us || n_failed > 100) return;
  if (is_closed || c->closes) reconnect(c);
  start(c);
}

static void receive(Conn *c, size_t most) {
  if (c->in_cap - c->in_len < most && !(c->in = realloc(c->in, c->in_cap = c->in_len * 2 + most))) abort();
  ssize_t n = recv(c->fd, c->in + c->in_len, most, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    if (!c->is_open) { epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL); return; }
    if (!c->in_len && c->is_reused) { reconnect(c); send_request(c); return; } /* closed while it was idle */
    go_on(c, 0, 1);
    return;
  }
  c->in_len += n;
  if (!c->is_open || !is_whole(c)) return;
  int has_marker = memmem(c->in + c->body_at, c->in_len - c->body_at, marker, marker_len) != NULL;
  go_on(c, c->status == 200 && has_marker && c->body_len >= (size_t)least_bytes, 0);
}

static void read_slowly(void) {
  static uint64_t last_us;
  uint64_t now = now_us();
  if (now - last_us < TICK_US) return;
  size_t most = aside_rate * (last_us ? now - last_us : TICK_US) / 1000000u + 1;
  last_us = now;
  for (long i = 0; i < aside; i++)
    if (conns[i].is_open) receive(&conns[i], most);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void read_request(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) fail("load: request file");
  request = calloc(1, 1 << 20);
  request_len = fread(request, 1, 1 << 20, file);
  number_at = memmem(request, request_len, "@@@@@@@@@@", DIGITS);
  fclose(file);
}

static void read_options(int argc, char **argv) {
  int i = 1;
  for (; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
    double value = strtod(argv[i + 1], NULL);
    if (!strcmp(argv[i], "--port")) port = value;
    else if (!strcmp(argv[i], "--connections")) connections = value;
    else if (!strcmp(argv[i], "--seconds")) seconds_ms = value * 1000;
    else if (!strcmp(argv[i], "--spread")) spread_us = value * 1e6;
    else if (!strcmp(argv[i], "--first")) first_number = value;
    else if (!strcmp(argv[i], "--least-bytes")) least_bytes = value;
    else if (!strcmp(argv[i], "--mss")) mss = value;
    else if (!strcmp(argv[i], "--aside")) aside = value;
    else if (!strcmp(argv[i], "--aside-rate")) aside_rate = value;
    else { fprintf(stderr, "load: unknown option '%s'\n", argv[i]); exit(2); }
  }
  if (argc - i != 2 || connections < 1 || aside >= connections) { fprintf(stderr, "load: see its source\n"); exit(2); }
  read_request(argv[i]);
  marker = argv[i + 1];
  marker_len = strlen(marker);
}

int main(int argc, char **argv) {
  read_options(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  poller = epoll_create1(EPOLL_CLOEXEC);
  conns = calloc(connections, sizeof *conns);
  struct epoll_event ready[512];
  for (long i = 0; i < connections; i++) {
    conns[i].is_aside = i < aside;
    connect_to_port(&conns[i]);
  }
  uint64_t begun_us = now_us(), whole_us;
  end_us = begun_us + (uint64_t)seconds_ms * 1000;
  long begun = 0;
  while (begun < connections || (aside_rate ? n_watched : n_busy)) {
    for (uint64_t past_us = now_us() - begun_us; begun < connections; begun++) {
      if ((uint64_t)(spread_us * begun / connections) > past_us) break;
      start(&conns[begun]);
    }
    int n = epoll_wait(poller, ready, 512, begun < connections ? 1 : aside_rate ? TICK_US / 1000 : 1000);
    for (int i = 0; i < n; i++) receive(ready[i].data.ptr, 262144);
    if (aside_rate) read_slowly();
    if (now_us() > end_us + PATIENCE_US) { n_failed += n_watched; break; }
  }
  whole_us = now_us() - begun_us;
  if (n_good) qsort(latencies, n_good, sizeof *latencies, compare);
  printf("{\"good\":%lu,\"failed\":%lu,\"wall_s\":%.6f,\"p50_us\":%u,\"p99_us\":%u,\"aside\":%lu}\n", n_good, n_failed,
         whole_us / 1e6, n_good ? latencies[n_good / 2] : 0, n_good ? latencies[n_good * 99 / 100] : 0, n_aside);
  return n_failed || !n_good;
}
