-- Takes one request from each of the given budgets, or from none of them.
--
-- KEYS: a hash for each budget.
-- ARGV: the time in ms (0: that of this server), the length of a window in ms, the lane
-- (1: bulk), the reserve in percent, the longest wait in ms (-1: any), and for each budget:
-- its limit until a reply reports one, how many requests have ended since the last call, and
-- the limit, the remaining requests and the ms until the reset in the last reply (0, 0, 0: none).
--
-- Returns {taken, wait, step}. If taken is 1, the request is to be sent after the wait; if it is
-- 0, no request can be taken before the end of the wait. The step is the time in ms from one bulk
-- request to the next.
local now, window, bulk, reserve, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5])
if now == 0 then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local function load(i)
  local at = 5 + (i - 1) * 5
  local h = redis.call('HMGET', KEYS[i], 'limit', 'reset', 'remaining', 'flying', 'next')
  local b = {
    limit = tonumber(h[1] or ARGV[at + 1]), reset = tonumber(h[2] or 0), flying = tonumber(h[4] or 0), next = tonumber(h[5] or 0),
  }
  b.remaining = tonumber(h[3] or b.limit)
  b.flying = math.max(b.flying - tonumber(ARGV[at + 2]), 0)
  if now >= b.reset then
    -- The next window. Its end keeps the phase of the reported resets. Requests in flight may be
    -- counted in this window, so they are deducted from it, but not from the one after it: a
    -- crashed process may never report their end.
    b.reset = b.reset + (math.floor((now - b.reset) / window) + 1) * window
    b.remaining, b.flying = b.limit - b.flying, 0
  end
  local limit, remaining, left = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  if limit > 0 then
    b.limit = limit
    b.remaining = math.min(b.remaining, limit, math.max(remaining - b.flying, 0))
    -- A longer time until the reset is due to clocks that disagree.
    if left > 0 and left <= window + 1000 and math.abs(now + left - b.reset) > 1000 then
      b.reset = now + left
    end
  end
  return b
end

-- Half of the reserve is released in the course of the window.
local function reserved(b, left)
  return math.floor(b.limit * reserve / 200 * (1 + math.max(left, 0) / window))
end

local budgets, taken, wait, step = {}, true, 0, 0
for i = 1, #KEYS do
  local b = load(i)
  budgets[i] = b
  if not bulk then
    if b.remaining < 1 then
      taken, wait = false, math.max(wait, b.reset - now)
    end
  else
    local from = math.max(now, b.next)
    local share = b.remaining - reserved(b, 0)
    b.step = (b.reset - from) / math.max(share, 1)
    step = math.max(step, b.step)
    if share < 1 or from >= b.reset then
      taken, wait = false, math.max(wait, b.reset - now)
    elseif b.remaining - reserved(b, b.reset - from) < 1 then
      -- Only the reserve is left. More of it is released soon.
      taken, wait = false, math.max(wait, math.min(b.reset - now, window / 60))
    else
      wait = math.max(wait, from - now)
    end
  end
end
if taken and longest >= 0 and wait >= longest and wait > 0 then
  taken = false
end
for i, b in ipairs(budgets) do
  if taken then
    b.remaining, b.flying = b.remaining - 1, b.flying + 1
    if bulk then
      b.next = math.max(now + wait, b.next) + b.step
    end
  end
  redis.call('HSET', KEYS[i], 'limit', b.limit, 'reset', b.reset, 'remaining', b.remaining, 'flying', b.flying, 'next', b.next)
  redis.call('PEXPIRE', KEYS[i], 3 * window)
end
return {taken and 1 or 0, math.ceil(wait), math.ceil(step)}
