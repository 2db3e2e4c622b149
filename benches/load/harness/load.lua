-- Script for wrk. Arguments after `--`: a file of requests (method, path, body and cookie, separated by tabs),
-- the cookie of the requests without their own, and the average wait between requests of a connection in
-- milliseconds (0 for none).
local started = 0

function setup(thread)
  thread:set("offset", started)
  started = started + 1
end

function init(args)
  wrk.headers["Content-Type"] = "application/json"
  requests = {}
  for line in io.lines(args[1]) do
    local method, path, body, cookie = line:match("^(%S+)\t(%S+)\t?([^\t]*)\t?(.*)$")
    wrk.headers["Cookie"] = cookie ~= "" and cookie or args[2]
    requests[#requests + 1] = wrk.format(method, path, nil, body ~= "" and body or nil)
  end
  -- The threads start at different requests.
  at = math.floor(#requests / 2) * offset

  local mean = tonumber(args[3])
  if mean > 0 then
    math.randomseed(offset + 1)
    -- wrk waits whole milliseconds, so the fraction is rounded at random.
    function delay()
      return math.floor(2 * mean * math.random() + math.random())
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), failed))
end
