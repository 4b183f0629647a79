/* libgomp's entry points are declared here and called by name: no compiler flag, the same with gcc and clang, and
 * never a second OpenMP runtime beside the one oneDNN brings. */
#include "cpu_parallel.h"

void GOMP_parallel(void (*function)(void *), void *payload, unsigned thread_count, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
void omp_set_num_threads(int count);

typedef struct loop {
	void (*function)(void *payload, uint32_t index, uint32_t count);
	void *payload;
	uint32_t count;
} loop;

/* The runtime may give fewer threads than asked. */
static void loop_thread(void *argument)
{
	const loop *l = argument;
	const uint32_t threads = (uint32_t)omp_get_num_threads();
	for (uint32_t i = (uint32_t)omp_get_thread_num(); i < l->count; i += threads)
		l->function(l->payload, i, l->count);
}

void hy_cpu_parallel_begin(uint32_t thread_count)
{
	omp_set_num_threads((int)thread_count);
}

void hy_cpu_parallel(uint32_t count, void (*function)(void *payload, uint32_t index, uint32_t count), void *payload)
{
	if (count <= 1) {
		function(payload, 0, 1);
		return;
	}
	loop l = {function, payload, count};
	GOMP_parallel(loop_thread, &l, count, 0);
}
