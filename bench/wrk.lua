-- Sends the prepared requests of a file in turn; "{counter}" in one becomes a fresh number.
-- The file: for each request its length in digits, a line feed, its bytes (bench/load.py writes it).

local MARK = "{counter}"
local requests, at, counter = {}, 0, 0

local function split(text)
  local parts, from = {}, 1
  while true do
    local first, last = text:find(MARK, from, true)
    if not first then break end
    parts[#parts + 1] = text:sub(from, first - 1)
    from = last + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  counter = tonumber(args[2])
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    local parts = split(file:read(length))
    requests[#requests + 1] = #parts == 1 and parts[1] or parts
  end
  file:close()
end

function request()
  at = at % #requests + 1
  local prepared = requests[at]
  if type(prepared) == "string" then return prepared end
  counter = counter + 1
  return table.concat(prepared, string.format("%012d", counter))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, '
      .. '"refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
