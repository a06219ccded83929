// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// One neighbour on the way from a leaf of a Merkle-sum tree to its root (format: spec/contracts.md).
struct SumSibling {
    bytes32 hash;
    uint128 sum;
}

/// @title Datasets, models and apps as assets that earn, and pay what they are made of.
/// @notice A payment adds to one accumulator per (version, token), whatever the depth of the ancestry. Parents, owner and
/// contributors take their parts later, in any order, each at their own cost.
/// @dev Assumes of tokens: no fee on transfer (refused, C-22) and balances that do not change by themselves. A hostile token harms
/// only those who accept it. There is no owner and no upgrade.
/// @dev All parts are rounded down; the dust stays. Holds at all times, per token: held = paid in - withdrawn (C-20).
interface IAssets {
    /// Everything a version fixes for ever. `ppm` counts millionths.
    struct VersionTerms {
        /// Content id: CIDv1 = `codec` + sha2-256 `digest`.
        uint16 codec;
        /// Bits others may be granted: TRAIN 1, EVALUATE 2, DERIVE 4, SERVE 8, COMMERCIAL 16.
        uint32 purposes;
        /// Least ppm of its gross income that a child must grant this version.
        uint32 minShare;
        /// Ppm of the gross income that belongs to the contributors.
        uint32 contributorsShare;
        /// What a training job pays once for the use of this version, in the asset's first token.
        uint128 trainPrice;
        bytes32 digest;
        /// Merkle root over the same content, for opening parts of it.
        bytes32 root;
        bytes32 licenceDigest;
        bytes32 metadataDigest;
        /// Merkle-sum root over (index, account, weight).
        bytes32 contributorsRoot;
        /// Sum of all weights under `contributorsRoot`.
        uint128 contributorsTotal;
        /// Strictly increasing version ids, all smaller than the new one: so there is no cycle.
        uint64[] parents;
        /// Ppm of the gross income for each parent.
        uint32[] shares;
    }

    event AssetCreated(uint256 indexed assetId, address indexed owner, address indexed originator, address[] tokens);
    event VersionAdded(uint256 indexed assetId, uint64 indexed version, address indexed originator, VersionTerms terms);
    event Paid(uint64 indexed version, address indexed token, address indexed payer, uint256 amount);
    event Pulled(uint64 indexed child, uint64 indexed parent, address indexed token, uint256 amount);
    event Settled(uint64 indexed version, address indexed token, address indexed owner, uint256 amount);
    event ContributorCredited(
        uint64 indexed version, address indexed token, address indexed account, uint64 index, uint256 amount
    );
    event Withdrawn(address indexed token, address indexed account, uint256 amount);

    error UnknownVersion(uint64 version);
    error NotAssetOwner(uint256 assetId, address caller);
    error TokensCount(uint256 count);
    error TokenInvalid(address token);
    error TooManyVersions(uint256 assetId);
    error ParentsInvalid(uint256 parents, uint256 shares);
    error ParentOrder(uint64 parent);
    error LicenceNotGranted(uint64 version, uint32 asked, uint32 granted);
    error ShareTooSmall(uint64 parent, uint32 given, uint32 wanted);
    error SharesTooLarge(uint256 sumPpm);
    error ContributorsInvalid(bytes32 root, uint128 total, uint32 sharePpm);
    error TokenNotAccepted(uint64 version, address token);
    error ZeroAmount();
    error TransferShort(address token, uint256 received, uint256 wanted);
    error NotParent(uint64 child, uint64 parent);
    error SumProofInvalid(bytes32 root, uint128 total);
    error NothingOwed(address token, address account);

    /// @notice Creates an asset and its first version.
    /// @param to First owner.
    /// @param tokens 1 to 4 tokens the asset is paid in, fixed for ever.
    function create(address to, address[] calldata tokens, VersionTerms calldata terms)
        external
        returns (uint256 assetId, uint64 version);

    /// @notice Adds a version; only the asset's owner may, at most 32 per asset.
    function addVersion(uint256 assetId, VersionTerms calldata terms) external returns (uint64 version);

    /// @notice Pays for a version. Needs an approval for exactly what is taken.
    function pay(uint64 version, address token, uint128 amount) external;

    /// @notice Moves what a child owes one of its parents into the parent's accumulator; anyone may call.
    function pull(uint64 child, uint64 parent, address token) external returns (uint256 amount);

    /// @notice `pull` along a line of descent: `versions[i + 1]` is a parent of `versions[i]`.
    function pullPath(uint64[] calldata versions, address token) external;

    /// @notice Credits the owner's own part of a version to the asset's present owner; anyone may call.
    function settle(uint64 version, address token) external returns (uint256 amount);

    /// @notice Credits one contributor with its part; anyone may call.
    function claimContributor(
        uint64 version,
        address token,
        uint64 index,
        address account,
        uint128 weight,
        SumSibling[] calldata proof
    ) external returns (uint256 amount);

    /// @notice Sends the caller what is owed to it.
    function withdraw(address token) external returns (uint256 amount);

    /// @notice Sends `account` what is owed to it; anyone may call.
    function withdrawFor(address account, address token) external returns (uint256 amount);

    /// @notice Reverts with the reason when a child on these terms may not be made, or may not be paid in `tokens`.
    /// @param asked Purposes wanted of every parent, DERIVE included.
    function checkLineage(
        address[] calldata tokens,
        uint32 asked,
        uint64[] calldata parents,
        uint32[] calldata shares,
        uint32 contributorsShare
    ) external view;

    function latestVersion() external view returns (uint64);

    function assetOf(uint64 version) external view returns (uint256 assetId);

    function termsOf(uint64 version) external view returns (VersionTerms memory);

    function tokensOf(uint256 assetId) external view returns (address[] memory);

    function versionsOf(uint256 assetId) external view returns (uint64[] memory);

    /// @notice What a training job must pay for this version, and in which token.
    function trainPriceOf(uint64 version) external view returns (address token, uint128 price);

    /// @notice Ppm of the gross income that stays with the owner.
    function ownerShareOf(uint64 version) external view returns (uint32);

    /// @notice Everything the version has earned so far, pulled income included.
    function grossOf(uint64 version, address token) external view returns (uint256);

    /// @notice What the owner has been credited of it so far.
    function settledOf(uint64 version, address token) external view returns (uint256);

    function pulledOf(uint64 child, uint64 parent, address token) external view returns (uint256);

    function contributorClaimed(uint64 version, address token, uint64 index) external view returns (uint256);

    /// @notice Credited and not yet withdrawn.
    function owed(address token, address account) external view returns (uint256);

    /// @notice What `pull` would move now.
    function pullable(uint64 child, uint64 parent, address token) external view returns (uint256);

    /// @notice What `settle` would credit now.
    function settleable(uint64 version, address token) external view returns (uint256);
}
