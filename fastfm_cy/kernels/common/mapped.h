/* Files that are cut while they are mapped: what is read beyond their end is no number, and does not
 * end the process, as the system's signal (SIGBUS) else would. */
#ifndef FASTFM_CY_MAPPED_H
#define FASTFM_CY_MAPPED_H

#include <stddef.h>

typedef struct fm_mapping {
  char *begin;
  size_t n_bytes;
  int fill; /* the byte that missing pages are filled with */
  volatile int is_used, is_cut;
  struct fm_mapping *next;
} fm_mapping;

#if defined(_WIN32) /* which refuses to cut a file that is mapped */

static fm_mapping fm_the_mapping;
static fm_mapping *fm_guard(void *begin, size_t n_bytes, int fill) {
  (void)begin, (void)n_bytes, (void)fill;
  return &fm_the_mapping;
}

#else

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

/* Nodes are never freed, only used again: the handler may look at them at any moment. */
static fm_mapping *fm_mappings;
static struct sigaction fm_before;
static size_t fm_page;

static void fm_pass_on(int number, siginfo_t *info, void *context) {
  if (fm_before.sa_flags & SA_SIGINFO) {
    fm_before.sa_sigaction(number, info, context);
  } else if (fm_before.sa_handler == SIG_DFL || fm_before.sa_handler == SIG_IGN) {
    signal(number, SIG_DFL);
    raise(number);
  } else {
    fm_before.sa_handler(number);
  }
}

static void fm_on_missing_page(int number, siginfo_t *info, void *context) {
  char *place = (char *)info->si_addr;
  int error = errno;
  for (fm_mapping *one = fm_mappings; one; one = one->next) {
    if (info->si_code > 0 && one->is_used && place >= one->begin && place < one->begin + one->n_bytes) {
      void *page = (void *)((uintptr_t)place & ~(uintptr_t)(fm_page - 1));
      if (mmap(page, fm_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == MAP_FAILED) {
        break;
      }
      memset(page, one->fill, fm_page);
      one->is_cut = 1;
      errno = error;
      return;
    }
  }
  errno = error;
  fm_pass_on(number, info, context);
}

/* Callers hold a lock. NULL if there is no memory, or no handler may be set. */
static fm_mapping *fm_guard(void *begin, size_t n_bytes, int fill) {
  struct sigaction now;
  fm_mapping *one = fm_mappings;
  if (sigaction(SIGBUS, NULL, &now)) {
    return NULL;
  }
  if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != fm_on_missing_page) {
    struct sigaction ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = fm_on_missing_page;
    ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    fm_page = (size_t)sysconf(_SC_PAGESIZE);
    fm_before = now;
    if (sigaction(SIGBUS, &ours, NULL)) {
      return NULL;
    }
  }
  while (one && one->is_used) {
    one = one->next;
  }
  if (!one) {
    one = (fm_mapping *)calloc(1, sizeof *one);
    if (!one) {
      return NULL;
    }
    one->next = fm_mappings;
    fm_mappings = one;
  }
  /* Its page begins before it; some systems name only the page. */
  one->begin = (char *)((uintptr_t)begin & ~(uintptr_t)(fm_page - 1));
  one->n_bytes = n_bytes + (size_t)((char *)begin - one->begin);
  one->fill = fill;
  one->is_cut = 0;
  one->is_used = 1;
  return one;
}

#endif
#endif
