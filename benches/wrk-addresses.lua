-- ADDRESSES="HOST:PORT …" wrk …: each thread has one of these addresses, in turn.
local addresses = {}
for address in os.getenv("ADDRESSES"):gmatch("%S+") do
  table.insert(addresses, address)
end
local threads = 0

function setup(thread)
  threads = threads + 1
  local host, port = addresses[(threads - 1) % #addresses + 1]:match("^(.*):(%d+)$")
  thread.addr = wrk.lookup(host, port)[1]
end
