"""One request through the real relay, on connections that go nowhere: for `maniple explain`."""
