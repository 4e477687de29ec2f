# How ctest fills the machine. A core is two slots, and scripts/test gives one more: what computes takes two, what mostly
# waits, for programs, disks, terminals or pauses, takes one. What waits for the elections of a cluster needs next to
# nothing; one at a time does, so that the rest of the slots is for those that need a core.
#
# vibes_schedule(NAME)  for a test that exists already
set(VIBES_WAITING_TESTS contract_cluster unit_client_live unit_iggy unit_nats unit_nats_cluster unit_net unit_notifications
                        unit_session)
set(VIBES_COMPUTING_TESTS cli_hooks integration_kill9_cycles integration_log_copy)
set(VIBES_CLUSTER_TESTS contract_cluster integration_engine_cluster unit_nats_cluster)

# Seconds under the preset in which it takes most. ctest starts the longest first, so that none is left for the end; what
# is not here takes less than 12.
set(VIBES_LONG_TESTS
    cli_groups=20
    cli_hooks=26
    cli_import=16
    cli_pending=19
    contract=30
    contract_cluster=62
    crash_consumers=62
    integration_assessed_sessions=14
    integration_assessment=18
    integration_engine_cluster=52
    integration_engine_nats=42
    integration_firehose_extended=25
    integration_interventions=17
    integration_kill9_cycles=26
    integration_log_copy=60
    integration_pending=18
    integration_sessions_attach=33
    integration_transcripts=14
    integration_verify_nats=33
    integration_verify_programs=45
    sim_eventlog=60
    unit_assessment=19
    unit_client_live=16
    unit_consumers=30
    unit_hooks=19
    unit_nats=22
    unit_nats_cluster=27
    unit_net_firehose=20
    unit_session=27
    unit_transcripts=18)

function(vibes_schedule name)
  set(slots 2)
  if(name IN_LIST VIBES_WAITING_TESTS OR (name MATCHES "^(cli|integration)_" AND NOT name IN_LIST VIBES_COMPUTING_TESTS))
    set(slots 1)
  endif()
  set_tests_properties(${name} PROPERTIES PROCESSORS ${slots})
  set(long ${VIBES_LONG_TESTS})
  list(FILTER long INCLUDE REGEX "^${name}=")
  if(long)
    string(REGEX REPLACE ".*=" "" seconds "${long}")
    set_tests_properties(${name} PROPERTIES COST ${seconds})
  endif()
  if(name IN_LIST VIBES_CLUSTER_TESTS)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK cluster)
  endif()
endfunction()
