#if !__has_include(<hiredis/hiredis.h>)
#error "hiredis is not installed: apt-get install libhiredis-dev"
#endif
#include <hiredis/hiredis.h>

#if HIREDIS_MAJOR > 0
typedef size_t array_size_t;
#else
typedef int array_size_t;
#endif

/* Makes replies as hiredis does, but no array beyond `elements` in all, nor one inside so many others that freeing it,
   which hiredis does by recursion, would take the whole stack. One belongs to one reader and must outlive it. */
typedef struct {
  redisReplyObjectFunctions functions;
  void *(*create_array)(const redisReadTask *, array_size_t);
  unsigned long long elements;
  int is_exceeded;
} reply_allowance;

#define NESTED_ARRAYS 7

static inline void *create_allowed_array(const redisReadTask *task, array_size_t elements) {
  reply_allowance *allowance = (reply_allowance *)task->privdata;
  int depth = 0;
  for (const redisReadTask *outer = task->parent; outer != NULL; outer = outer->parent) depth++;
  if ((unsigned long long)elements > allowance->elements || depth > NESTED_ARRAYS) {
    allowance->is_exceeded = 1;
    return NULL;
  }
  allowance->elements -= (unsigned long long)elements;
  return allowance->create_array(task, elements);
}

/* Gives a connection's reader its allowance. Swift cannot do it: the functions' types differ between versions. */
static inline void limit_replies(redisContext *context, reply_allowance *allowance) {
  allowance->functions = *context->reader->fn;
  allowance->create_array = context->reader->fn->createArray;
  allowance->functions.createArray = create_allowed_array;
  context->reader->fn = &allowance->functions;
  context->reader->privdata = allowance;
}
