/* A fast stand-in for a chat completions server, for benchmarks only.
 *
 *   stub [--port N] [--latency-us N] [--chunks N] [--answer-bytes N] [--split 1] [--event-us N]
 *
 * One thread, epoll, HTTP/1.1 keep-alive, loopback only. Prints the port it listens on. Every POST is
 * answered with a chat completion: one JSON document, or, when the body says "stream":true, server-sent
 * events: role, N text chunks, finish reason, usage (N + 3 JSON events), then [DONE]; in one write, or
 * with --split 1 a write per event, --event-us apart (not with --latency-us too: all waits are equally long).
 * Both answers are built once; a request costs a header scan and a send.
 * GET /stats gives the counters, any other GET the model list. Bodies need a Content-Length.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 65536
#define MAX_WRITES 4096

typedef struct { char *p; size_t len, cap; } Text;
typedef struct {
  char *in, *out;
  size_t in_len, in_cap, out_len, out_off, out_cap;
  uint32_t generation;
  int waiting, stream, step, close_after, want_write;
} Conn;
typedef struct { uint64_t due_us; int fd; uint32_t generation; } Wait;

static Conn *conns[MAX_FD];
static Wait *waits;                       /* a ring: every answer waits equally long, so first in is first out */
static size_t wait_head, wait_count, wait_cap;
static int poller;
static long latency_us, event_us, chunks = 64, answer_bytes = 128, split;
static Text plain, events, models;
static size_t event_end[MAX_WRITES];      /* where the n-th write of a split stream ends */
static uint64_t n_plain, n_stream, n_conns;

static uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + t.tv_nsec / 1000;
}

static void append(Text *t, const char *format, ...) {
  char piece[4096];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(piece, sizeof piece, format, args);
  va_end(args);
  if (n < 0 || n >= (int)sizeof piece) abort();
  if (t->len + n + 1 > t->cap && !(t->p = realloc(t->p, t->cap = (t->len + n) * 2 + 1024))) abort();
  memcpy(t->p + t->len, piece, n + 1);
  t->len += n;
}

static void append_answer(Text *t, long from, long to) {
  static const char words[] = "The quick brown fox jumps over the lazy dog while seven wizards boil jugs of tea. ";
  for (long i = from; i < to; i++) append(t, "%c", words[i % (sizeof words - 1)]);
}

static void wrap(Text *t, Text *body) {
  append(t, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_stub\r\nContent-Length: %zu\r\n\r\n",
         body->len);
  for (size_t i = 0; i < body->len; i += 2048) append(t, "%.2048s", body->p + i);
}

#define USAGE "\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":%ld,\"total_tokens\":%ld," \
              "\"prompt_tokens_details\":{\"cached_tokens\":0}}"

static void build_plain(void) {
  Text body = {0}, list = {0};
  append(&body, "{\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion\",\"created\":1767225600,\"model\":\"stub\","
                "\"system_fingerprint\":\"fp_stub\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
  append_answer(&body, 0, answer_bytes);
  append(&body, "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE "}", chunks, chunks + 50);
  wrap(&plain, &body);
  append(&list, "{\"object\":\"list\",\"data\":[{\"id\":\"stub\",\"object\":\"model\",\"created\":1767225600,\"owned_by\":\"stub\"}]}");
  wrap(&models, &list);
  free(body.p);
  free(list.p);
}

static void build_events(void) {
  append(&events, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
                  "x-request-id: req_stub\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (long i = 0; i < chunks + 4; i++) {
    Text e = {0};
    append(&e, i == chunks + 3 ? "data: " : "data: {\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion.chunk\","
           "\"created\":1767225600,\"model\":\"stub\",\"system_fingerprint\":\"fp_stub\",\"choices\":[");
    if (i == 0) {
      append(&e, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]}");
    } else if (i <= chunks) {
      append(&e, "{\"index\":0,\"delta\":{\"content\":\"");
      append_answer(&e, (i - 1) * answer_bytes / chunks, i * answer_bytes / chunks);
      append(&e, "\"},\"logprobs\":null,\"finish_reason\":null}]}");
    } else if (i == chunks + 1) {
      append(&e, "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}");
    } else if (i == chunks + 2) {
      append(&e, "]," USAGE "}", chunks, chunks + 50);
    } else {
      append(&e, "[DONE]");
    }
    append(&events, "%zx\r\n", e.len + 2);
    for (size_t at = 0; at < e.len; at += 2048) append(&events, "%.2048s", e.p + at);
    append(&events, "\n\n\r\n%s", i == chunks + 3 ? "0\r\n\r\n" : "");
    event_end[i] = events.len;
    free(e.p);
  }
}

static void put(Conn *c, const char *p, size_t n) {
  if (c->out_len + n > c->out_cap && !(c->out = realloc(c->out, c->out_cap = (c->out_len + n) * 2))) abort();
  memcpy(c->out + c->out_len, p, n);
  c->out_len += n;
}

static void drop(int fd) {
  Conn *c = conns[fd];
  conns[fd] = NULL;
  close(fd);
  free(c->in);
  free(c->out);
  free(c);
}

/* Sends what is pending; returns 0 when the connection is gone. */
static int flush(int fd) {
  Conn *c = conns[fd];
  while (c->out_off < c->out_len) {
    ssize_t n = send(fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) { drop(fd); return 0; }
    if (n < 0) break;
    c->out_off += n;
  }
  int pending = c->out_off < c->out_len;
  if (!pending) c->out_off = c->out_len = 0;
  if (pending != c->want_write) {
    struct epoll_event e = {.events = EPOLLIN | (pending ? EPOLLOUT : 0), .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_MOD, fd, &e);
    c->want_write = pending;
  }
  if (!pending && c->close_after && !c->waiting) { drop(fd); return 0; }
  return 1;
}

static void wait_for(int fd, uint64_t delay_us) {
  if (wait_count == wait_cap) {
    Wait *bigger = malloc((wait_cap * 2 + 1024) * sizeof *bigger);
    for (size_t i = 0; i < wait_count; i++) bigger[i] = waits[(wait_head + i) % wait_cap];
    free(waits);
    waits = bigger;
    wait_head = 0;
    wait_cap = wait_cap * 2 + 1024;
  }
  waits[(wait_head + wait_count++) % wait_cap] = (Wait){now_us() + delay_us, fd, conns[fd]->generation};
  conns[fd]->waiting = 1;
}

static void answer(int fd) {
  Conn *c = conns[fd];
  c->waiting = 0;
  if (!c->stream) {
    n_plain++;
    put(c, plain.p, plain.len);
  } else if (!split) {
    n_stream++;
    put(c, events.p, events.len);
  } else {
    size_t from = c->step ? event_end[c->step - 1] : 0;
    put(c, events.p + from, event_end[c->step] - from);
    if (++c->step < chunks + 4) wait_for(fd, event_us);
    else n_stream++;
  }
}

static int says_stream(const char *body, size_t n) {
  const char *s = memmem(body, n, "\"stream\":", 9);
  for (s = s ? s + 9 : body + n; s < body + n && *s == ' '; s++) {}
  return s < body + n && *s == 't';
}

/* Takes one whole request from the input at `off`; returns its length, or 0 when more must arrive. */
static size_t take(int fd, size_t off) {
  Conn *c = conns[fd];
  char *p = c->in + off, *end = memmem(p, c->in_len - off, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t head = end - p + 4, body = 0;
  for (char *line = memchr(p, '\n', head); line && line < end; line = memchr(line + 1, '\n', p + head - line - 1)) {
    if (!strncasecmp(line + 1, "content-length:", 15)) body = strtoul(line + 16, NULL, 10);
    else if (!strncasecmp(line + 1, "connection: close", 17)) c->close_after = 1;
  }
  if (c->in_len - off < head + body) return 0;
  if (!strncmp(p, "GET /stats", 10)) {
    Text counts = {0}, whole = {0};
    append(&counts, "{\"plain\":%lu,\"streams\":%lu,\"connections\":%lu}", n_plain, n_stream, n_conns);
    wrap(&whole, &counts);
    put(c, whole.p, whole.len);
    free(counts.p);
    free(whole.p);
  } else if (*p == 'G') {
    put(c, models.p, models.len);
  } else {
    c->stream = says_stream(p + head, body);
    c->step = 0;
    if (latency_us) wait_for(fd, latency_us);
    else answer(fd);
  }
  return head + body;
}

static void serve(int fd) {
  Conn *c = conns[fd];
  size_t off = 0, n;
  while (!c->waiting && off < c->in_len && (n = take(fd, off))) off += n;
  memmove(c->in, c->in + off, c->in_len - off);
  c->in_len -= off;
  flush(fd);
}

static void welcome(int listener) {
  static uint32_t generation;
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    if (fd >= MAX_FD) { close(fd); continue; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    conns[fd] = calloc(1, sizeof(Conn));
    conns[fd]->generation = ++generation;
    n_conns++;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
  }
}

static void receive(int fd) {
  Conn *c = conns[fd];
  if (c->in_cap - c->in_len < 16384 && !(c->in = realloc(c->in, c->in_cap = c->in_len + 65536))) abort();
  ssize_t n = recv(fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) { drop(fd); return; }
  if (n > 0) c->in_len += n;
  if (n > 0 && !c->waiting) serve(fd);
}

static void answer_due(void) {
  uint64_t now = now_us();
  for (size_t left = wait_count; left && waits[wait_head].due_us <= now; left--) {
    Wait w = waits[wait_head];
    wait_head = (wait_head + 1) % wait_cap;
    wait_count--;
    if (!conns[w.fd] || conns[w.fd]->generation != w.generation) continue;
    answer(w.fd);
    serve(w.fd);
  }
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof a;
  if (bind(fd, (void *)&a, n) || listen(fd, 4096) || getsockname(fd, (void *)&a, &n)) { perror("stub"); exit(1); }
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  return fd;
}

int main(int argc, char **argv) {
  long port = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    long value = strtol(argv[i + 1], NULL, 10);
    if (!strcmp(argv[i], "--port")) port = value;
    else if (!strcmp(argv[i], "--latency-us")) latency_us = value;
    else if (!strcmp(argv[i], "--chunks")) chunks = value;
    else if (!strcmp(argv[i], "--answer-bytes")) answer_bytes = value;
    else if (!strcmp(argv[i], "--split")) split = value;
    else if (!strcmp(argv[i], "--event-us")) event_us = value;
    else { fprintf(stderr, "stub: unknown option '%s'\n", argv[i]); return 2; }
  }
  if (chunks < 1 || chunks + 4 > MAX_WRITES || answer_bytes < 1 || (latency_us && event_us)) { fprintf(stderr, "stub: bad size or delay\n"); return 2; }
  signal(SIGPIPE, SIG_IGN);
  build_plain();
  build_events();
  poller = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on(port);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[512];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    int64_t left_us = wait_count ? (int64_t)(waits[wait_head].due_us - now_us()) : 1000000;
    int n = epoll_wait(poller, ready, 512, left_us <= 0 ? 0 : (left_us + 999) / 1000);
    for (int i = 0; i < n; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) { welcome(fd); continue; }
      if (!conns[fd]) continue;
      if ((ready[i].events & EPOLLOUT) && !flush(fd)) continue;
      if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(fd);
    }
    if (wait_count) answer_due();
  }
}
