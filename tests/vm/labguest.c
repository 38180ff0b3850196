/*
 * Answers the questions of one scenario from one process, because an emulated guest takes a fifth of a second and more to start a
 * program: the bus, the metrics socket, the kernel's log, the journal, sysfs and the files that a scenario puts in place.
 *
 * One request a line: a tag, the question and its arguments, with \x1f between them. One answer for each: "TAG 0|1 LINES", followed by
 * that many lines. 1 is what a tool would have said with its exit code: no such object, no answer, not found.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define SEPARATOR '\x1f'
#define MAX_WORDS 64
#define DAEMON "org.livepatchd1"
#define MANAGER_PATH "/org/livepatchd1"
#define SYSTEMD "org.freedesktop.systemd1"
#define METRICS_SOCKET "/run/livepatchd/metrics.sock"
#define TREE "/sys/kernel/livepatch"
#define MARK "scenario-begins "
#define SCRAPE_SECONDS 5
/* A wait asks again after a signal, but not more often than this, and without one this seldom: signals may be lost with the daemon. */
#define ASK_AGAIN_US 50000
#define ASK_ANYWAY_US 1000000

/* --- the answer that is being written */

static char *out;
static size_t out_size, out_used;

static void *checked(void *memory)
{
	if (!memory) {
		fputs("labguest: out of memory\n", stderr);
		abort();
	}
	return memory;
}

static void put(const char *data, size_t length)
{
	if (out_used + length + 1 > out_size) {
		out_size = (out_used + length + 1) * 2;
		out = checked(realloc(out, out_size));
	}
	memcpy(out + out_used, data, length);
	out_used += length;
	out[out_used] = 0;
}

__attribute__((format(printf, 1, 2))) static void putf(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		checked(NULL);
	put(text, length);
	free(text);
}

/* The answer of a question that has none: the text says why. */
__attribute__((format(printf, 1, 2))) static int no(const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		checked(NULL);
	out_used = 0;
	put(text, length);
	free(text);
	return 1;
}

static void answer(const char *tag, int code)
{
	size_t lines = 0, i;

	if (out_used > 0 && out[out_used - 1] != '\n')
		put("\n", 1);
	for (i = 0; i < out_used; i++)
		lines += out[i] == '\n';
	printf("%s %d %zu\n", tag, code, lines);
	fwrite(out, 1, out_used, stdout);
	fflush(stdout);
	out_used = 0;
}

/* --- small things */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void pause_us(uint64_t us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

/* The whole file with a 0 after it, for the caller to free; NULL with errno. */
static char *contents(const char *path, size_t *length)
{
	size_t size = 16384, used = 0;
	char *text = checked(malloc(size + 1));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	while (fd >= 0 && (got = read(fd, text + used, size - used)) > 0) {
		used += got;
		if (used == size) {
			size *= 2;
			text = checked(realloc(text, size + 1));
		}
	}
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[used] = 0;
	if (length)
		*length = used;
	return text;
}

/* How many lines hold the text, as `grep -cF` counts them. */
static long lines_with(const char *data, size_t length, const char *text)
{
	size_t wanted = strlen(text);
	const char *end = data + length, *line, *stop;
	long count = 0;

	for (line = data; line < end; line = stop + 1) {
		stop = memchr(line, '\n', end - line);
		if (!stop)
			stop = end;
		count += memmem(line, stop - line, text, wanted) != NULL;
	}
	return count;
}

/* --- the bus */

static sd_bus *bus;

static int connected(void)
{
	if (bus && sd_bus_is_open(bus) <= 0)
		bus = sd_bus_close_unref(bus);
	return bus ? 0 : sd_bus_open_system(&bus);
}

/* One call with strings as arguments. A connection that has gone stale since the last question is made anew, once. */
static int call(const char *service, const char *path, const char *interface, const char *method, char **arguments, int count,
		sd_bus_error *error, sd_bus_message **reply)
{
	int tries, i, r = 0;

	for (tries = 0; tries < 2; tries++) {
		sd_bus_message *message = NULL;
		bool stale = bus != NULL;

		r = connected();
		if (r < 0)
			return r;
		r = sd_bus_message_new_method_call(bus, &message, service, path, interface, method);
		for (i = 0; r >= 0 && i < count; i++)
			r = sd_bus_message_append(message, "s", arguments[i]);
		if (r >= 0)
			r = sd_bus_call(bus, message, 0, error, reply);
		sd_bus_message_unref(message);
		if (r >= 0 || !stale || (r != -ENOTCONN && r != -ECONNRESET && r != -EPIPE && r != -ESHUTDOWN))
			break;
		sd_bus_error_free(error);
		bus = sd_bus_close_unref(bus);
	}
	return r;
}

static int bus_says_no(sd_bus_error *error, int r)
{
	int code = no("%s", sd_bus_error_is_set(error) ? error->message : strerror(-r));

	sd_bus_error_free(error);
	return code;
}

/* Writes a property of a basic type as busctl prints it, without the quotes. */
static int get(const char *service, const char *path, const char *interface, const char *property, sd_bus_error *error)
{
	char *arguments[] = { (char *)interface, (char *)property };
	sd_bus_message *reply = NULL;
	const char *signature;
	union {
		const char *s; int b; uint8_t y; int16_t n; uint16_t q; int32_t i; uint32_t u; int64_t x; uint64_t t; double d;
	} value;
	char type;
	int r = call(service, path, "org.freedesktop.DBus.Properties", "Get", arguments, 2, error, &reply);

	if (r < 0)
		return r;
	r = sd_bus_message_peek_type(reply, &type, &signature);
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'v', signature);
	type = r >= 0 ? signature[0] : 0;
	if (r >= 0 && (signature[1] || !strchr("sogbynqiuxtd", type)))
		r = sd_bus_error_setf(error, "org.livepatchd.lab.NotBasic", "%s is of type '%s'", property, signature);
	if (r >= 0)
		r = sd_bus_message_read_basic(reply, type, &value);
	if (r >= 0) {
		switch (type) {
		case 'b': putf("%s", value.b ? "true" : "false"); break;
		case 'y': putf("%u", value.y); break;
		case 'n': putf("%d", value.n); break;
		case 'q': putf("%u", value.q); break;
		case 'i': putf("%" PRIi32, value.i); break;
		case 'u': putf("%" PRIu32, value.u); break;
		case 'x': putf("%" PRIi64, value.x); break;
		case 't': putf("%" PRIu64, value.t); break;
		case 'd': putf("%g", value.d); break;
		default: putf("%s", value.s); break;
		}
	}
	sd_bus_message_unref(reply);
	return r;
}

static int get_property(const char *service, const char *path, const char *interface, const char *property)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = get(service, path, interface, property, &error);

	return r < 0 ? bus_says_no(&error, r) : 0;
}

static char *object(const char *below, const char *name)
{
	char *path;

	if (sd_bus_path_encode(below, name, &path) < 0)
		checked(NULL);
	return path;
}

/* path NAME */
static int patch_path(char **arguments)
{
	char *path = object(MANAGER_PATH "/patch", arguments[0]);

	putf("%s", path);
	free(path);
	return 0;
}

/* get PATH INTERFACE PROPERTY */
static int of_daemon(char **arguments)
{
	return get_property(DAEMON, arguments[0], arguments[1], arguments[2]);
}

/* patch NAME PROPERTY */
static int of_patch(char **arguments)
{
	char *path = object(MANAGER_PATH "/patch", arguments[0]);
	int code = get_property(DAEMON, path, DAEMON ".Patch", arguments[1]);

	free(path);
	return code;
}

/* gate NAME PROPERTY */
static int of_gate(char **arguments)
{
	char *path = object(MANAGER_PATH "/gate", arguments[0]);
	int code = get_property(DAEMON, path, DAEMON ".Gate", arguments[1]);

	free(path);
	return code;
}

/* unit UNIT PROPERTY: of the unit, or of the service that it is */
static int of_unit(char **arguments)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *name, *path;
	int r;

	if (asprintf(&name, "%s%s", arguments[0], strchr(arguments[0], '.') ? "" : ".service") < 0)
		checked(NULL);
	path = object("/org/freedesktop/systemd1/unit", name);
	r = get(SYSTEMD, path, SYSTEMD ".Unit", arguments[1], &error);
	if (r < 0 && sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_PROPERTY)) {
		sd_bus_error_free(&error);
		r = get(SYSTEMD, path, SYSTEMD ".Service", arguments[1], &error);
	}
	free(path);
	free(name);
	return r < 0 ? bus_says_no(&error, r) : 0;
}

/* systemd PROPERTY: of the manager */
static int of_systemd(char **arguments)
{
	return get_property(SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager", arguments[0]);
}

/* Calls the visitor with name, state and reason of each patch that ListPatches gives. */
static int for_each_patch(void (*visit)(const char *name, const char *state, const char *reason, void *data), void *data)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *name, *state, *reason, *sha256, *path;
	int r = call(DAEMON, MANAGER_PATH, DAEMON ".Manager", "ListPatches", NULL, 0, &error, &reply);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(sssso)");
	while (r > 0 && (r = sd_bus_message_read(reply, "(sssso)", &name, &state, &reason, &sha256, &path)) > 0)
		visit(name, state, reason, data);
	sd_bus_message_unref(reply);
	return r < 0 ? bus_says_no(&error, r) : 0;
}

struct sought {
	const char *name;
	bool found;
};

static void seek(const char *name, const char *state, const char *reason, void *data)
{
	struct sought *sought = data;

	(void)state;
	(void)reason;
	sought->found |= strcmp(name, sought->name) == 0;
}

/* listed NAME: yes or no */
static int listed(char **arguments)
{
	struct sought sought = { arguments[0], false };
	int code = for_each_patch(seek, &sought);

	if (!code)
		putf("%s", sought.found ? "yes" : "no");
	return code;
}

static void show(const char *name, const char *state, const char *reason, void *data)
{
	(void)data;
	putf("%s %s %s\n", name, state, reason);
}

/* list: name, state and reason of each patch */
static int list(char **arguments)
{
	(void)arguments;
	return for_each_patch(show, NULL);
}

/* plan: the daemon's JSON */
static int plan(char **arguments)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *json;
	int r = call(DAEMON, MANAGER_PATH, DAEMON ".Manager", "Plan", NULL, 0, &error, &reply);

	(void)arguments;
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &json);
	if (r >= 0)
		putf("%s", json);
	sd_bus_message_unref(reply);
	return r < 0 ? bus_says_no(&error, r) : 0;
}

/* members NAME PROPERTY: of an a{sv} the keys, of an a(ss) both words, a line each */
static int members(char **arguments)
{
	char *path = object(MANAGER_PATH "/patch", arguments[0]);
	char *names[] = { DAEMON ".Patch", arguments[1] };
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *signature, *one, *other;
	char type;
	int r = call(DAEMON, path, "org.freedesktop.DBus.Properties", "Get", names, 2, &error, &reply);

	free(path);
	if (r >= 0)
		r = sd_bus_message_peek_type(reply, &type, &signature);
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'v', signature);
	if (r >= 0 && strcmp(signature, "a(ss)") == 0) {
		r = sd_bus_message_enter_container(reply, 'a', "(ss)");
		while (r > 0 && (r = sd_bus_message_read(reply, "(ss)", &one, &other)) > 0)
			putf("%s %s\n", one, other);
	} else if (r >= 0 && strcmp(signature, "a{sv}") == 0) {
		r = sd_bus_message_enter_container(reply, 'a', "{sv}");
		while (r > 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
			r = sd_bus_message_read(reply, "s", &one);
			if (r >= 0)
				r = sd_bus_message_skip(reply, "v");
			if (r >= 0)
				r = sd_bus_message_exit_container(reply);
			if (r >= 0) {
				putf("%s\n", one);
				r = 1;
			}
		}
	} else if (r >= 0) {
		r = sd_bus_error_setf(&error, "org.livepatchd.lab.NoMembers", "%s is of type '%s'", arguments[1], signature);
	}
	sd_bus_message_unref(reply);
	return r < 0 ? bus_says_no(&error, r) : 0;
}

/* reload: the configuration, and what is wrong with it when it is refused */
static int reload(char **arguments)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char **errors = NULL, **text;
	int code, r = call(DAEMON, MANAGER_PATH, DAEMON ".Manager", "Reload", NULL, 0, &error, NULL);

	(void)arguments;
	code = r < 0 ? bus_says_no(&error, r) : 0;
	r = connected();
	if (r >= 0)
		r = sd_bus_get_property_strv(bus, DAEMON, MANAGER_PATH, DAEMON ".Manager", "ConfigErrors", &error, &errors);
	if (r < 0)
		return bus_says_no(&error, r);
	for (text = errors; text && *text; text++) {
		putf("\n%s", *text);
		free(*text);
		code = 1;
	}
	free(errors);
	return code;
}

static int on_signal(sd_bus_message *message, void *told, sd_bus_error *error)
{
	(void)message;
	(void)error;
	*(bool *)told = true;
	return 0;
}

/* wait NAME PROPERTY VALUE MILLISECONDS: until the patch has it; else what it has at the end, which is nothing when there is no patch */
static int wait_patch(char **arguments)
{
	uint64_t end = now_us() + strtoull(arguments[3], NULL, 10) * 1000, asked, now;
	char *path = object(MANAGER_PATH "/patch", arguments[0]), *rule;
	sd_bus_slot *slots[2] = { NULL, NULL };
	bool told = false, reached;

	if (asprintf(&rule, "type='signal',path='%s'", path) < 0)
		checked(NULL);
	for (;;) {
		sd_bus_error error = SD_BUS_ERROR_NULL;

		/* a connection made anew has no rules yet; those of the old one went with it */
		if (bus && sd_bus_is_open(bus) <= 0) {
			slots[0] = sd_bus_slot_unref(slots[0]);
			slots[1] = sd_bus_slot_unref(slots[1]);
		}
		if (connected() >= 0 && !slots[0]) {
			/* the bus takes the rules before the question that follows them */
			sd_bus_add_match_async(bus, &slots[0], rule, on_signal, NULL, &told);
			sd_bus_add_match_async(bus, &slots[1],
					       "type='signal',path='" MANAGER_PATH "',interface='org.freedesktop.DBus.ObjectManager'",
					       on_signal, NULL, &told);
		}
		asked = now_us();
		out_used = 0;
		reached = get(DAEMON, path, DAEMON ".Patch", arguments[1], &error) >= 0 && out_used == strlen(arguments[2])
			&& memcmp(out, arguments[2], out_used) == 0;
		if (sd_bus_error_is_set(&error))
			out_used = 0;
		sd_bus_error_free(&error);
		now = now_us();
		if (reached || now >= end)
			break;
		/* what came while the question was answered counts as well: it may be younger than the answer */
		for (told = false; !told && (now = now_us()) < end && now < asked + ASK_ANYWAY_US;) {
			uint64_t until = asked + ASK_ANYWAY_US < end ? asked + ASK_ANYWAY_US : end;
			int r = bus && sd_bus_is_open(bus) > 0 ? sd_bus_process(bus, NULL) : -ENOTCONN;

			if (r == 0)
				r = sd_bus_wait(bus, until - now);
			if (r < 0)
				break;
		}
		now = now_us();
		if (now < asked + ASK_AGAIN_US)
			pause_us(asked + ASK_AGAIN_US - now);
	}
	sd_bus_slot_unref(slots[0]);
	sd_bus_slot_unref(slots[1]);
	free(rule);
	free(path);
	return reached ? 0 : 1;
}

/* --- metrics */

static char *scrape(const char **body)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = METRICS_SOCKET };
	struct timeval limit = { .tv_sec = SCRAPE_SECONDS };
	size_t size = 65536, used = 0;
	char *text = checked(malloc(size + 1));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t got = -1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
		while ((got = recv(fd, text + used, size - used, 0)) > 0) {
			used += got;
			if (used == size) {
				size *= 2;
				text = checked(realloc(text, size + 1));
			}
		}
	text[used] = 0;
	if (got < 0) {
		no("%s: %s", METRICS_SOCKET, errno == EAGAIN ? "no answer in time" : strerror(errno));
	} else if (strncmp(text, "HTTP/1.", 7) != 0 || strncmp(text + 8, " 200 ", 5) != 0 || !strstr(text, "\r\n\r\n")) {
		got = -1;
		no("%s: the answer begins with '%.40s'", METRICS_SOCKET, text);
	}
	close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	*body = strstr(text, "\r\n\r\n") + 4;
	return text;
}

/* metric NAME [LABEL=VALUE...]: the value of the first series with these labels, nothing when there is none */
static int metric(char **arguments)
{
	const char *body;
	char *text = scrape(&body), *line, *rest;
	size_t length = strlen(arguments[0]);

	if (!text)
		return 1;
	for (line = strtok_r((char *)body, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		bool fits = strncmp(line, arguments[0], length) == 0 && (line[length] == '{' || line[length] == ' ');
		char **label, *labels_end;

		for (label = arguments + 1; fits && *label; label++) {
			char *value = strchr(*label, '='), *part;

			if (asprintf(&part, "%.*s=\"%s\"", (int)(value ? value - *label : 0), *label, value ? value + 1 : "") < 0)
				checked(NULL);
			fits = strstr(line, part) != NULL;
			free(part);
		}
		if (!fits)
			continue;
		labels_end = line[length] == '{' ? strrchr(line, '}') : line + length - 1;
		if (labels_end && labels_end[1] == ' ')
			put(labels_end + 2, strcspn(labels_end + 2, " "));
		break;
	}
	free(text);
	return 0;
}

/* scrape: all of it */
static int whole_scrape(char **arguments)
{
	const char *body;
	char *text = scrape(&body);

	(void)arguments;
	if (!text)
		return 1;
	put(body, strlen(body));
	free(text);
	return 0;
}

/* --- the kernel's log: /dev/kmsg, and the journal once the ring no longer holds what is asked for */

struct entry {
	uint64_t us;
	char *text;
};

static struct entry *entries;
static size_t entry_count, entry_room;
static size_t mark; /* the entry after the last mark */
static bool marked;
static bool ring_lost;		/* the ring has overwritten what nobody had read */
static size_t ring_lost_before; /* all of it is older than this entry */

static void keep(uint64_t us, const char *text, size_t length)
{
	if (entry_count == entry_room) {
		entry_room = entry_room * 2 + 1024;
		entries = checked(realloc(entries, entry_room * sizeof(*entries)));
	}
	entries[entry_count].us = us;
	entries[entry_count].text = checked(strndup(text, length));
	entry_count++;
	if (strstr(entries[entry_count - 1].text, MARK)) {
		mark = entry_count;
		marked = true;
	}
}

static void forget(void)
{
	while (entry_count > 0)
		free(entries[--entry_count].text);
	mark = 0;
	marked = false;
}

static int read_ring(void)
{
	static int fd = -1;
	static uint64_t expected;
	char record[16384];
	ssize_t got;

	if (fd < 0)
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return no("/dev/kmsg: %s", strerror(errno));
	while ((got = read(fd, record, sizeof(record) - 1)) > 0 || (got < 0 && (errno == EPIPE || errno == EINTR))) {
		unsigned long long sequence, us;
		char *text;

		if (got < 0)
			continue;
		record[got] = 0;
		text = strchr(record, ';');
		if (!text || sscanf(record, "%*u,%llu,%llu", &sequence, &us) != 2)
			return no("/dev/kmsg: a record that is none: %.60s", record);
		if (sequence != expected) {
			ring_lost = true;
			ring_lost_before = entry_count;
		}
		expected = sequence + 1;
		text++;
		keep(us, text, strcspn(text, "\n"));
	}
	return errno == EAGAIN ? 0 : no("/dev/kmsg: %s", strerror(errno));
}

static int open_journal(sd_journal **journal, const char *first_match, const char *second_match)
{
	sd_id128_t boot;
	char boot_match[] = "_BOOT_ID=0123456789abcdef0123456789abcdef";
	int r = sd_journal_open(journal, SD_JOURNAL_LOCAL_ONLY);

	if (r >= 0)
		r = sd_id128_get_boot(&boot);
	if (r >= 0) {
		sd_id128_to_string(boot, boot_match + strlen("_BOOT_ID="));
		r = sd_journal_add_match(*journal, boot_match, 0);
	}
	if (r >= 0)
		r = sd_journal_add_match(*journal, first_match, 0);
	if (r >= 0 && second_match)
		r = sd_journal_add_match(*journal, second_match, 0);
	if (r >= 0)
		r = sd_journal_seek_head(*journal);
	return r < 0 ? no("the journal: %s", strerror(-r)) : 0;
}

/* The value of a field of the entry at which the journal stands; not ended by 0. */
static const char *journal_field(sd_journal *journal, const char *name, size_t *length)
{
	const void *data;
	size_t prefix = strlen(name) + 1;

	if (sd_journal_get_data(journal, name, &data, length) < 0 || *length < prefix)
		return NULL;
	*length -= prefix;
	return (const char *)data + prefix;
}

static uint64_t journal_us(sd_journal *journal)
{
	size_t length;
	const char *source = journal_field(journal, "_SOURCE_MONOTONIC_TIMESTAMP", &length);
	char digits[32];
	sd_id128_t boot;
	uint64_t us = 0;

	if (source && length < sizeof(digits)) {
		memcpy(digits, source, length);
		digits[length] = 0;
		return strtoull(digits, NULL, 10);
	}
	sd_journal_get_monotonic_usec(journal, &us, &boot);
	return us;
}

static int read_journal(void)
{
	sd_journal *journal = NULL;
	int code = open_journal(&journal, "_TRANSPORT=kernel", NULL);
	const char *text;
	size_t length;

	forget();
	while (code == 0 && sd_journal_next(journal) > 0)
		if ((text = journal_field(journal, "MESSAGE", &length)))
			keep(journal_us(journal), text, length);
	sd_journal_close(journal);
	return code;
}

/* Brings the entries up to date; nothing is missing in them from the mark on, or from the boot on. */
static int kernel_log(bool since_mark)
{
	static bool by_journal;

	if (!by_journal) {
		int code = read_ring();

		if (code)
			return code;
		if (!ring_lost || (since_mark && marked && ring_lost_before < mark))
			return 0;
		/* the journal lags: let it have what the ring has */
		by_journal = true;
		fputs("labguest: the kernel's ring has wrapped; the journal is read from here on\n", stderr);
		pause_us(500000);
	}
	return read_journal();
}

static long entries_with(size_t from, const char *text)
{
	long count = 0;

	for (; from < entry_count; from++)
		count += strstr(entries[from].text, text) != NULL;
	return count;
}

/* kernel-count TEXT: entries since the last mark, or since the boot */
static int kernel_count(char **arguments)
{
	int code = kernel_log(true);

	if (!code)
		putf("%ld", entries_with(marked ? mark : 0, arguments[0]));
	return code;
}

/* kernel-lines: what kernel-count counts in */
static int kernel_lines(char **arguments)
{
	int code = kernel_log(true);
	size_t i;

	(void)arguments;
	for (i = marked ? mark : 0; !code && i < entry_count; i++)
		putf("%s\n", entries[i].text);
	return code;
}

/* console-count TEXT FILE: entries of this boot, and lines of the file */
static int console_count(char **arguments)
{
	size_t length;
	char *before = contents(arguments[1], &length);
	int code = before ? kernel_log(false) : no("%s: %s", arguments[1], strerror(errno));

	if (!code)
		putf("%ld", entries_with(0, arguments[0]) + lines_with(before, length, arguments[0]));
	free(before);
	return code;
}

/* kernel-moment TEXT: milliseconds of uptime of the newest entry */
static int kernel_moment(char **arguments)
{
	int code = kernel_log(false);
	size_t i;

	if (code)
		return code;
	for (i = entry_count; i > 0; i--)
		if (strstr(entries[i - 1].text, arguments[0])) {
			putf("%" PRIu64, entries[i - 1].us / 1000);
			return 0;
		}
	return no("the kernel has not logged '%s' in this boot", arguments[0]);
}

/* journal-count TEXT: as kernel-count, from the journal alone: what the ring is compared with, and takes its place when it has wrapped */
static int journal_kernel_count(char **arguments)
{
	struct entry *ring = entries;
	size_t ring_count = entry_count, ring_room = entry_room, ring_mark = mark;
	bool ring_marked = marked;
	int code;

	entries = NULL;
	entry_count = entry_room = 0;
	code = read_journal();
	if (!code)
		putf("%ld", entries_with(marked ? mark : 0, arguments[0]));
	forget();
	free(entries);
	entries = ring;
	entry_count = ring_count;
	entry_room = ring_room;
	mark = ring_mark;
	marked = ring_marked;
	return code;
}

/* --- the journal */

/* event-count MESSAGE_ID TEXT: lines of this boot's messages of that id that hold the text */
static int event_count(char **arguments)
{
	sd_journal *journal = NULL;
	char *match;
	const char *text;
	size_t length;
	long count = 0;
	int code;

	if (asprintf(&match, "MESSAGE_ID=%s", arguments[0]) < 0)
		checked(NULL);
	code = open_journal(&journal, match, NULL);
	while (code == 0 && sd_journal_next(journal) > 0)
		if ((text = journal_field(journal, "MESSAGE", &length)))
			count += lines_with(text, length, arguments[1]);
	sd_journal_close(journal);
	free(match);
	if (!code)
		putf("%ld", count);
	return code;
}

/* unit-said UNIT PATTERN MILLISECONDS: the uptime in ms of the service's first message of this boot, not before that uptime, that fits */
static int unit_said(char **arguments)
{
	sd_journal *journal = NULL;
	uint64_t least = strtoull(arguments[2], NULL, 10);
	const char *text;
	char *match, *line;
	bool found = false;
	size_t length;
	regex_t pattern;
	int code;

	if (regcomp(&pattern, arguments[1], REG_EXTENDED | REG_NOSUB | REG_NEWLINE) != 0)
		return no("'%s' is no pattern", arguments[1]);
	if (asprintf(&match, "_SYSTEMD_UNIT=%s.service", arguments[0]) < 0)
		checked(NULL);
	code = open_journal(&journal, match, NULL);
	while (code == 0 && !found && sd_journal_next(journal) > 0) {
		uint64_t ms = journal_us(journal) / 1000;

		if (ms < least || !(text = journal_field(journal, "MESSAGE", &length)))
			continue;
		line = checked(strndup(text, length));
		found = regexec(&pattern, line, 0, NULL, 0) == 0;
		free(line);
		if (found)
			putf("%" PRIu64, ms);
	}
	sd_journal_close(journal);
	free(match);
	regfree(&pattern);
	return code || found ? code : no("%s has not logged '%s'", arguments[0], arguments[1]);
}

/* --- files and modules */

/* file-says FILE TEXT: yes or no */
static int file_says(char **arguments)
{
	size_t length;
	char *text = contents(arguments[0], &length);

	if (!text)
		return no("%s: %s", arguments[0], strerror(errno));
	putf("%s", memmem(text, length, arguments[1], strlen(arguments[1])) ? "yes" : "no");
	free(text);
	return 0;
}

/* file-count FILE TEXT: lines with it */
static int file_count(char **arguments)
{
	size_t length;
	char *text = contents(arguments[0], &length);

	if (!text)
		return no("%s: %s", arguments[0], strerror(errno));
	putf("%ld", lines_with(text, length, arguments[1]));
	free(text);
	return 0;
}

static int make_directories(const char *path)
{
	char *copy = checked(strdup(path)), *slash;
	int r = 0;

	for (slash = copy + 1; r == 0 && (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		r = mkdir(copy, 0755);
		if (r < 0 && errno == EEXIST)
			r = 0;
		*slash = '/';
	}
	if (r == 0 && mkdir(copy, 0755) < 0 && errno != EEXIST)
		r = -1;
	free(copy);
	return r;
}

/* publish FILE DIRECTORY NAME: a copy under another name, then one rename */
static int publish(char **arguments)
{
	char *aside, *target;
	int from = open(arguments[0], O_RDONLY | O_CLOEXEC), to, code = 0;
	char block[65536];
	ssize_t got;

	if (from < 0)
		return no("%s: %s", arguments[0], strerror(errno));
	if (asprintf(&aside, "%s/.%s.new", arguments[1], arguments[2]) < 0 || asprintf(&target, "%s/%s", arguments[1], arguments[2]) < 0)
		checked(NULL);
	if (make_directories(arguments[1]) < 0)
		code = no("%s: %s", arguments[1], strerror(errno));
	unlink(aside);
	to = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (!code && (got = read(from, block, sizeof(block))) != 0)
		if (got < 0 || write(to, block, got) != got)
			code = no("%s: %s", aside, strerror(errno));
	if (!code && (fchmod(to, 0644) < 0 || close(to) < 0 || rename(aside, target) < 0))
		code = no("%s: %s", target, strerror(errno));
	close(from);
	free(aside);
	free(target);
	return code;
}

/* rename FROM TO */
static int move(char **arguments)
{
	return rename(arguments[0], arguments[1]) < 0 ? no("%s: %s", arguments[1], strerror(errno)) : 0;
}

/* remove FILE...: those that are there */
static int remove_files(char **arguments)
{
	for (; *arguments; arguments++)
		if (unlink(*arguments) < 0 && errno != ENOENT)
			return no("%s: %s", *arguments, strerror(errno));
	return 0;
}

/* unload NAME: as rmmod does */
static int unload(char **arguments)
{
	return syscall(SYS_delete_module, arguments[0], O_NONBLOCK) < 0 ? no("module %s: %s", arguments[0], strerror(errno)) : 0;
}

/* fingerprint NAME: everything by which a second load or a re-creation would show itself */
static int fingerprint(char **arguments)
{
	static const char *const directories[] = { TREE "/%s", "/sys/module/%s" };
	static const char *const attributes[] = { TREE "/%s/enabled", "/sys/module/%s/coresize", "/sys/module/%s/refcnt",
						  "/sys/module/%s/initstate", "/sys/module/%s/sections/.gnu.linkonce.this_module" };
	char path[512], *text, *counted;
	struct stat status;
	size_t i, length;
	int code;

	for (i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		snprintf(path, sizeof(path), directories[i], arguments[0]);
		if (stat(path, &status) < 0)
			return no("%s: %s", path, strerror(errno));
		putf("%ju %s\n", (uintmax_t)status.st_ino, path);
	}
	for (i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		snprintf(path, sizeof(path), attributes[i], arguments[0]);
		text = contents(path, &length);
		if (!text)
			return no("%s: %s", path, strerror(errno));
		put(text, length);
		free(text);
	}
	/* a module whose functions all have sections of their own has none */
	snprintf(path, sizeof(path), "/sys/module/%s/sections/.text", arguments[0]);
	text = contents(path, &length);
	if (text)
		put(text, length);
	else
		putf("no %s\n", path);
	free(text);
	snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", arguments[0]);
	text = contents(path, &length);
	if (!text)
		return no("%s: %s", path, strerror(errno));
	for (i = 0; i < length; i++)
		putf("%02x", (unsigned char)text[i]);
	free(text);
	putf("\n");
	if (asprintf(&counted, "livepatch: enabling patch '%s'", arguments[0]) < 0)
		checked(NULL);
	code = kernel_count(&counted);
	free(counted);
	return code;
}

/* end NAME: kills every process whose name it is */
static int end_named(char **arguments)
{
	DIR *directory = opendir("/proc");
	struct dirent *found;
	char path[300], *name;

	if (!directory)
		return no("/proc: %s", strerror(errno));
	while ((found = readdir(directory))) {
		pid_t pid = atoi(found->d_name);

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", found->d_name);
		name = contents(path, NULL);
		if (name && strcspn(name, "\n") == strlen(arguments[0]) && strncmp(name, arguments[0], strlen(arguments[0])) == 0)
			kill(pid, SIGKILL);
		free(name);
	}
	closedir(directory);
	return 0;
}

/* --- */

static const struct question {
	const char *name;
	int least, most;
	int (*ask)(char **arguments);
} questions[] = {
	{ "path", 1, 1, patch_path },
	{ "get", 3, 3, of_daemon },
	{ "patch", 2, 2, of_patch },
	{ "gate", 2, 2, of_gate },
	{ "unit", 2, 2, of_unit },
	{ "systemd", 1, 1, of_systemd },
	{ "listed", 1, 1, listed },
	{ "list", 0, 0, list },
	{ "plan", 0, 0, plan },
	{ "members", 2, 2, members },
	{ "reload", 0, 0, reload },
	{ "wait", 4, 4, wait_patch },
	{ "metric", 1, MAX_WORDS, metric },
	{ "scrape", 0, 0, whole_scrape },
	{ "kernel-count", 1, 1, kernel_count },
	{ "kernel-lines", 0, 0, kernel_lines },
	{ "kernel-moment", 1, 1, kernel_moment },
	{ "console-count", 2, 2, console_count },
	{ "journal-kernel-count", 1, 1, journal_kernel_count },
	{ "event-count", 2, 2, event_count },
	{ "unit-said", 3, 3, unit_said },
	{ "file-says", 2, 2, file_says },
	{ "file-count", 2, 2, file_count },
	{ "publish", 3, 3, publish },
	{ "rename", 2, 2, move },
	{ "remove", 1, MAX_WORDS, remove_files },
	{ "unload", 1, 1, unload },
	{ "fingerprint", 1, 1, fingerprint },
	{ "end", 1, 1, end_named },
};

/* Ends the process when the request is none: a mistake in the library, not an answer. */
static void handle(char *request)
{
	char *words[MAX_WORDS + 1], *next = request;
	const char separator[] = { SEPARATOR, 0 };
	int count = 0;
	size_t i;

	while (next && count < MAX_WORDS)
		words[count++] = strsep(&next, separator);
	words[count] = NULL;
	for (i = 0; count >= 2 && i < sizeof(questions) / sizeof(*questions); i++)
		if (strcmp(questions[i].name, words[1]) == 0 && count - 2 >= questions[i].least && count - 2 <= questions[i].most) {
			answer(words[0], questions[i].ask(words + 2));
			return;
		}
	fprintf(stderr, "labguest: no such question: %s, with %d arguments\n", count >= 2 ? words[1] : "", count - 2);
	exit(2);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	/* what the scenario starts may hold the other end of the pipe for longer than the scenario lasts */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (argc == 2)
		handle(argv[1]);
	while ((length = getline(&line, &size, stdin)) > 0) {
		line[length - 1] = 0;
		handle(line);
	}
	return 0;
}
