/* One mutex, one list, two conditions. The worker's compute threads (OpenMP) inherit its cores. */
#include "cpu_worker.h"
#include "cpu_parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct hy_cpu_worker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t work; /* a job arrived, or stop */
	pthread_cond_t rest; /* a job ended */
	hy_cpu_job *first, **last;
	const void *running; /* owner of the job that runs, or NULL */
	bool stop;
	hy_cpu_cores cores;
};

static void *worker_main(void *payload)
{
	hy_cpu_worker *worker = payload;
	(void)pthread_setaffinity_np(pthread_self(), sizeof(worker->cores.set), &worker->cores.set);
	hy_cpu_parallel_begin(worker->cores.thread_count);
	(void)pthread_mutex_lock(&worker->mutex);
	for (;;) {
		hy_cpu_job *job = worker->first;
		if (job == NULL) {
			if (worker->stop) break;
			(void)pthread_cond_wait(&worker->work, &worker->mutex);
			continue;
		}
		worker->first = job->next;
		if (worker->first == NULL) worker->last = &worker->first;
		worker->running = job->owner;
		(void)pthread_mutex_unlock(&worker->mutex);
		job->run(job);
		(void)pthread_mutex_lock(&worker->mutex);
		worker->running = NULL;
		(void)pthread_cond_broadcast(&worker->rest);
	}
	(void)pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

hy_status hy_cpu_worker_start(const hy_cpu_cores *cores, hy_cpu_worker **out_worker, hy_error *error)
{
	hy_cpu_worker *worker = calloc(1, sizeof(*worker));
	if (worker == NULL) return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory for a device");
	worker->cores = *cores;
	worker->last = &worker->first;
	(void)pthread_mutex_init(&worker->mutex, NULL);
	(void)pthread_cond_init(&worker->work, NULL);
	(void)pthread_cond_init(&worker->rest, NULL);
	/* Signals belong to the host's threads. */
	sigset_t all, old;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	const int code = pthread_create(&worker->thread, NULL, worker_main, worker);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code != 0) {
		free(worker);
		return hy_error_set(error, HY_NO_MEMORY, "cpu: no thread for the device (error %d)", code);
	}
	*out_worker = worker;
	return HY_OK;
}

void hy_cpu_worker_stop(hy_cpu_worker *worker)
{
	if (worker == NULL) return;
	(void)pthread_mutex_lock(&worker->mutex);
	worker->stop = true;
	(void)pthread_cond_signal(&worker->work);
	(void)pthread_mutex_unlock(&worker->mutex);
	(void)pthread_join(worker->thread, NULL);
	(void)pthread_cond_destroy(&worker->rest);
	(void)pthread_cond_destroy(&worker->work);
	(void)pthread_mutex_destroy(&worker->mutex);
	free(worker);
}

void hy_cpu_worker_push(hy_cpu_worker *worker, hy_cpu_job *job)
{
	job->next = NULL;
	(void)pthread_mutex_lock(&worker->mutex);
	*worker->last = job;
	worker->last = &job->next;
	(void)pthread_cond_signal(&worker->work);
	(void)pthread_mutex_unlock(&worker->mutex);
}

typedef struct call_job {
	hy_cpu_job job;
	hy_cpu_worker *worker;
	void (*function)(void *payload);
	void *payload;
	bool done;
} call_job;

static void call_run(hy_cpu_job *job)
{
	call_job *call = (call_job *)(void *)job;
	call->function(call->payload);
	(void)pthread_mutex_lock(&call->worker->mutex);
	call->done = true;
	(void)pthread_mutex_unlock(&call->worker->mutex);
}

void hy_cpu_worker_call(hy_cpu_worker *worker, void (*function)(void *payload), void *payload)
{
	if (pthread_equal(pthread_self(), worker->thread)) {
		function(payload);
		return;
	}
	call_job call = {.job.run = call_run, .worker = worker, .function = function, .payload = payload};
	(void)pthread_mutex_lock(&worker->mutex);
	call.job.next = worker->first;
	worker->first = &call.job;
	if (call.job.next == NULL) worker->last = &call.job.next;
	(void)pthread_cond_signal(&worker->work);
	while (!call.done)
		(void)pthread_cond_wait(&worker->rest, &worker->mutex);
	(void)pthread_mutex_unlock(&worker->mutex);
}

void hy_cpu_worker_cancel(hy_cpu_worker *worker, const void *owner)
{
	hy_cpu_job *taken = NULL, **taken_last = &taken;
	(void)pthread_mutex_lock(&worker->mutex);
	worker->last = &worker->first;
	for (hy_cpu_job *job = worker->first, *next; job != NULL; job = next) {
		next = job->next;
		hy_cpu_job ***list = job->owner == owner ? &taken_last : &worker->last;
		job->next = NULL;
		**list = job;
		*list = &job->next;
	}
	*worker->last = NULL;
	while (worker->running == owner)
		(void)pthread_cond_wait(&worker->rest, &worker->mutex);
	(void)pthread_mutex_unlock(&worker->mutex);
	for (hy_cpu_job *job = taken, *next; job != NULL; job = next) {
		next = job->next;
		job->cancel(job);
	}
}
