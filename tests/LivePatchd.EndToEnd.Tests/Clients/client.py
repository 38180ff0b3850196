# A client that shares no code with livepatchd: python3-dbus does what a management program would do, and says each thing it found.
import os
import sys
import xml.etree.ElementTree as ElementTree

import dbus
import dbus.bus
import dbus.mainloop.glib
from gi.repository import GLib

LIMIT_SECONDS = 30
SERVICE = "org.livepatchd1"
MANAGER_PATH = "/org/livepatchd1"
MANAGER = "org.livepatchd1.Manager"
PATCH = "org.livepatchd1.Patch"
JOB = "org.livepatchd1.Job"
PROPERTIES = "org.freedesktop.DBus.Properties"


def say(what, value):
    print(f"{what}: {value}", flush=True)


def wait_for(condition):
    """Runs the main loop until it holds; a clock only to fail by."""
    context = GLib.MainContext.default()
    expired = []
    GLib.timeout_add_seconds(LIMIT_SECONDS, lambda: expired.append(True))
    while not condition():
        if expired:
            sys.exit("the condition did not become true in time")
        context.iteration(True)


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
proxy = bus.get_object(SERVICE, MANAGER_PATH)
manager = dbus.Interface(proxy, MANAGER)
properties = dbus.Interface(proxy, PROPERTIES)

tree = ElementTree.fromstring(proxy.Introspect(dbus_interface="org.freedesktop.DBus.Introspectable"))
interface = next(i for i in tree.findall("interface") if i.get("name") == MANAGER)
apply = next(m for m in interface.findall("method") if m.get("name") == "Apply")
say("introspect Apply", " ".join(f"{a.get('direction')} {a.get('type')}" for a in apply.findall("arg")))
say("introspect signals", " ".join(sorted(s.get("name") for s in interface.findall("signal"))))

say("list", [(str(p[0]), str(p[1])) for p in manager.ListPatches()])
say("property Mode", properties.Get(MANAGER, "Mode"))
say("all properties", len(properties.GetAll(MANAGER)) > 15)
objects = dbus.Interface(proxy, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
say("objects", sorted(str(path) for path, interfaces in objects.items() if PATCH in interfaces))

removed = {}
changed = []
bus.add_signal_receiver(lambda number, path, result: removed.update({str(path): str(result)}), "JobRemoved", MANAGER, SERVICE, MANAGER_PATH)
bus.add_signal_receiver(
    lambda iface, values, gone: changed.extend(str(v) for k, v in values.items() if iface == PATCH and k == "State"),
    "PropertiesChanged", PROPERTIES, SERVICE, "/org/livepatchd1/patch/lp_5fone")

job = manager.Revert("lp_one", dbus.Dictionary({}, signature="sv"))
wait_for(lambda: str(job) in removed)
say("revert", removed[str(job)])
job = manager.Apply("lp_one", dbus.Dictionary({"override-gates": True, "deadline-usec": dbus.UInt64(4102444800000000)}, signature="sv"))
wait_for(lambda: str(job) in removed)
say("apply", removed[str(job)])
wait_for(lambda: changed and changed[-1] == "active")
say("state by signal", changed[-1])
say("job kind", dbus.Interface(bus.get_object(SERVICE, job), PROPERTIES).Get(JOB, "Kind"))

token = manager.Inhibit("client.py", "a test")
say("inhibited", [(str(i[0]), str(i[1])) for i in properties.Get(MANAGER, "Inhibitors")])
os.close(token.take())
wait_for(lambda: not properties.Get(MANAGER, "Inhibitors"))
say("let go", properties.Get(MANAGER, "GateOpen") == 1)

bundle = manager.Diagnose().take()
say("bundle", os.pread(bundle, 1, 0).decode())
try:
    os.pwrite(bundle, b"x", 0)
except PermissionError:
    say("bundle is sealed", True)

for what, call in [
    ("no such patch", lambda: manager.Apply("lp_none", dbus.Dictionary({}, signature="sv"))),
    ("unknown option", lambda: manager.Apply("lp_one", dbus.Dictionary({"fast": True}, signature="sv"))),
    ("wrong type of an option", lambda: manager.Apply("lp_one", dbus.Dictionary({"override-gates": "yes"}, signature="sv"))),
    ("wrong signature", lambda: bus.call_blocking(SERVICE, MANAGER_PATH, MANAGER, "Apply", "u", (1,))),
    ("no such method", lambda: bus.call_blocking(SERVICE, MANAGER_PATH, MANAGER, "Explode", "", ())),
]:
    try:
        call()
        say(what, "no error")
    except dbus.exceptions.DBusException as error:
        say(what, error.get_dbus_name())
