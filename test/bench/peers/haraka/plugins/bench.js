'use strict'
// What Haraka needs to know of the benchmark: everyone on loopback may relay, and where each
// domain's mail goes (BENCH_NEXT_HOP=PORT; absent: by MX, as usual).
exports.hook_connect_init = function (next, connection) {
  connection.relaying = true
  next()
}

exports.hook_rcpt = function (next) {
  next(OK)
}

exports.hook_get_mx = function (next) {
  const port = process.env.BENCH_NEXT_HOP
  if (!port) return next()
  next(OK, { priority: 0, exchange: '127.0.0.1', port: Number(port) })
}
