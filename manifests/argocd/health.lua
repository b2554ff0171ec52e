-- How an object of monstrum.dev stands, for Argo CD. The same for every kind: the operator writes the same conditions to all.
local function says(status, message)
  return {status = status, message = message or ""}
end

if obj.metadata.deletionTimestamp ~= nil then
  return says("Progressing", "it is being deleted")
end

local conditions = {}
local seen = obj.status ~= nil and obj.status.conditions ~= nil
if seen then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end
local ready = conditions["Ready"]

-- What was said of an earlier generation says nothing of this one.
local generation = obj.metadata.generation
if ready == nil or (generation ~= nil and obj.status.observedGeneration ~= generation) then
  return says("Progressing", "the operator has not seen it as it is now")
end

local function holds(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

if ready.reason == "Suspended" then
  return says("Suspended", ready.message)
elseif holds("Stalled") then
  return says("Degraded", ready.reason .. ": " .. (ready.message or ""))
elseif holds("Reconciling") or ready.status == "Unknown" then
  return says("Progressing", ready.message)
elseif ready.status == "True" then
  return says("Healthy", ready.message)
elseif ready.reason == "Progressing" or ready.reason == "AwaitingGateway" then
  return says("Progressing", ready.message)
end
return says("Degraded", ready.reason .. ": " .. (ready.message or ""))
