package halopsa_test

import (
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// clientsCalls uses every tool of the toolset with every argument.
func clientsCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "halo_clients_search", Args: args{"query": "elbe", "top_level": "Nordlicht IT Customers", "include_inactive": true, "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_clients_search", Args: args{"query": "elbe", "top_level": "Nordlicht IT Customers", "include_inactive": true, "limit": 1},
			With: cursorOf("halo_clients_search"), Check: wantsItems(1)},
		{Tool: "halo_clients_get", Args: args{"id": "Alster Dental", "include": []string{"prepay", "activity"}}, Check: wants(args{"id": 13.0})},
		{Tool: "halo_clients_overview", Args: args{"client": "hafen", "sections": []string{"sites", "tickets", "contracts", "invoices", "assets"}}, Check: wants(args{"problems": nil})},
		{Tool: "halo_sites_search", Args: args{"client": "hafen", "query": "h", "include_inactive": true, "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_sites_search", Args: args{"client": "hafen", "query": "h", "include_inactive": true, "limit": 1}, With: cursorOf("halo_sites_search"), Check: wantsItems(1)},
		{Tool: "halo_sites_get", Args: args{"id": "Hall 3", "client": "hafen"}, Check: wants(args{"client_id": 12.0})},
		{Tool: "halo_users_search", Args: args{"query": "berg", "client": "hafen", "site": "Hamburg HQ", "include_inactive": true, "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_users_search", Args: args{"client": "hafen", "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_users_search", Args: args{"client": "hafen", "limit": 1}, With: cursorOf("halo_users_search"), Check: wantsItems(1)},
		{Tool: "halo_users_search", Args: args{"azure_oid": halotest.AnnaBergEntraID, "email": halotest.AnnaBergEmail}, Check: wantsItems(1)},
		{Tool: "halo_users_get", Args: args{"id": halotest.AnnaBergEmail, "include": []string{"assets", "tickets", "activity"}}, Check: wants(args{"name": "Anna Berg"})},
		{Tool: "halo_users_get", Args: args{"id": "Anna"}, Code: mcptools.CodeAmbiguous},
	}
}

// coreCalls uses every tool of the toolset with every argument.
func coreCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "halo_whoami", Check: wants(args{"problem": nil})},
		{Tool: "halo_global_search", Args: args{"query": "printer", "per_entity": 3}, Check: wantsItems(2)},
	}
}

// agentsCalls uses every tool of the toolset with every argument.
func agentsCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "halo_agents_me", Check: wants(args{"name": "Sam Okafor"})},
		{Tool: "halo_agents_list", Args: args{"query": "e", "team": "1st Line", "include_disabled": true, "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_agents_list", Args: args{"query": "e", "team": "1st Line", "include_disabled": true, "limit": 1}, With: cursorOf("halo_agents_list"), Check: wantsItems(1)},
		{Tool: "halo_agents_workload", Args: args{"team": "2nd Line", "agents": []string{"me", "Elif Demir"}, "horizon": 14}, Check: wantsItems(2)},
		{Tool: "halo_teams_list", Args: args{"type": "tickets", "include_agents": true, "limit": 1}, Check: wantsItems(1)},
		{Tool: "halo_teams_list", Args: args{"type": "tickets", "include_agents": true, "limit": 1}, With: cursorOf("halo_teams_list"), Check: wantsItems(1)},
	}
}
